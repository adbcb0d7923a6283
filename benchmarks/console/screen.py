"""What a browser shows, and when: an alert after its commit, a year of glucose readings after a click."""

import asyncio
import shutil
import statistics
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from playwright.async_api import BrowserContext, Page, async_playwright

from benchmarks.console.centre import CENTRE, Centre
from ingest.gateway.login.door import COOKIE
from models.alerts import ALERTING, Alert, AlertEvent, AlertHappening
from models.clock import DAY_US, wall_now_us
from models.db.alerts import Reason, write_alerts
from models.db.pool import Pool, connected
from models.errors import Broken, RefuseToStart
from models.findings import Severity, Signal
from models.messages import Origin

_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
# Seen when the browser next paints after the row was put in, by the wall clock.
_WATCH = """() => {
    window.seen = {};
    const look = () => {
        for (const row of document.querySelectorAll("#worklist tbody tr[data-patient]")) {
            const patient = row.dataset.patient;
            if (patient in window.seen) continue;
            window.seen[patient] = 0;
            requestAnimationFrame(() => {
                window.seen[patient] = performance.timeOrigin + performance.now();
            });
        }
    };
    look();
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""
_SEEN = """patient => new Promise((resolve) => {
    const look = () => (window.seen[patient] ? resolve(window.seen[patient]) : setTimeout(look, 5));
    look();
})"""
_DRAWN = """chart => new Promise((resolve) => {
    const look = () => {
        const card = document.getElementById(`chart-${chart}`);
        const done = card && !card.hasAttribute("aria-busy");
        done ? resolve([performance.now(), Number(card.dataset.points), Number(card.dataset.drawnMs)])
             : requestAnimationFrame(look);
    };
    look();
})"""
_FINDING = """
INSERT INTO finding (
    patient_id, finding_id, organisation_id, programme, version, programme_hash, rule, signal, severity,
    opened_at, opening, log_partition
)
SELECT $1, $2, organisation_id, programme, version, programme_hash, rule, 'fluid', 'high', opened_at,
    opening, 0
FROM finding WHERE rule = 'weight_gain_3d' OR signal = 'fluid' LIMIT 1
"""


@asynccontextmanager
async def browser(centre: Centre) -> AsyncGenerator[BrowserContext]:
    """Chromium, in which the first nurse is logged in. **Raises**: RefuseToStart where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise RefuseToStart("There is no Chromium to measure with: apt-get install chromium.")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            context = await running.new_context(
                viewport={"width": 1440, "height": 900}, locale="nl-NL", timezone_id="Europe/Amsterdam"
            )
            await context.add_cookies(
                [
                    {
                        "name": COOKIE, "value": centre.tokens[0], "secure": True, "httpOnly": True,
                        "url": centre.url.replace("http:", "https:"), "sameSite": "Lax",
                    }
                ]
            )  # fmt: skip
            yield context
        finally:
            await running.close()


async def alerts_on_screen(
    context: BrowserContext, centre: Centre, number: int, apart_s: float
) -> list[float]:
    """From the commit of an alert until its row is on the screen. **Units**: milliseconds.

    Each is the most urgent one of the whole list, so that its row belongs on the first page: severe, and
    begun long ago; the log may say so late.
    """
    page = await context.new_page()
    await page.goto(f"{centre.url}/console/worklist")
    await page.evaluate(_WATCH)
    dsn = centre.settings.postgres_dsn
    took: list[float] = []
    async with connected(dsn, role="thuiswacht_alerting", application="benchmark", max_size=1) as pool:
        for n in range(number):
            patient_id = centre.patients[-2 - n]
            committed_us = await _open_alert(centre, pool, patient_id, n)
            seen_ms: float = await asyncio.wait_for(page.evaluate(_SEEN, str(patient_id)), 60)
            took.append(seen_ms - committed_us / 1e3)
            await asyncio.sleep(apart_s)
    await page.close()
    return took


async def year_drawn(context: BrowserContext, centre: Centre, times: int) -> tuple[float, float, int]:
    """From navigation until the chart of a year of glucose is drawn, the median of several.

    Milliseconds, of them those of drawing alone, and how many points it was. **Units**: milliseconds.
    """
    found: list[tuple[float, int, float]] = []
    for _ in range(times):
        page: Page = await context.new_page()
        address = f"{centre.url}/console/patients/{centre.patients[-1]}?days=366"
        await page.goto(address, wait_until="commit")
        found.append(tuple(await page.evaluate(_DRAWN, "glucose_cgm")))
        await page.close()
    points = {one[1] for one in found}
    if len(points) > 1:
        raise Broken(f"The chart had not the same points each time: {sorted(points)}.")
    return statistics.median(one[0] for one in found), statistics.median(one[2] for one in found), min(points)


async def _open_alert(centre: Centre, pool: Pool, patient_id: UUID, n: int) -> int:
    """Opens one as the alerting worker does; when it was committed, in microseconds since 1970 UTC."""
    alert_id, finding_id = uuid4(), uuid4()
    await centre.admin.execute(_FINDING, patient_id, finding_id)
    opened_us = wall_now_us() - 9 * DAY_US + n
    alert = Alert(
        alert_id=alert_id,
        patient_id=patient_id,
        organisation_id=CENTRE,
        signal=Signal.FLUID,
        severity=Severity.HIGH,
        opened_at_us=opened_us,
        origin=Origin.SIMULATED,
    )
    happening = AlertHappening(
        alert_id=alert_id,
        patient_id=patient_id,
        organisation_id=CENTRE,
        happened_at_us=opened_us,
        event=AlertEvent.OPENED,
        from_value=None,
        to_value=Severity.HIGH.value,
        by=ALERTING,
        why={},
    )
    async with pool.transaction() as connection:
        reasons = [Reason(patient_id, alert_id, finding_id, opened_us)]
        await write_alerts(connection, [alert], reasons, [happening])
    return wall_now_us()
