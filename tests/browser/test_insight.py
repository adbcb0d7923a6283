"""Insight: figures, filters, exports; what is too small to be told; what is seen before there is anything."""

import csv
import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page, expect

from alerting.insight.keeping import look_after_figures
from alerting.insight.wijken import load_wijken
from models.access import Role
from models.clock import to_datetime
from models.db.pool import Connection, connected
from models.settings import Settings
from tests.browser.accessible import require_accessible
from tests.browser.screens import Screens
from tests.integration.alerting.ward import CENTRE

pytestmark = pytest.mark.timeout(300)

WIJKEN = ("Loosduinen", "wijk-50", "=HYPERLINK(1)")
_ENROL = """
INSERT INTO patient_change (patient_id, organisation_id, change_id, cluster_id, topic, log_partition,
    log_offset, valid_from, effective_from, correction, change)
SELECT patient_id, organisation_id, gen_random_uuid(), 'c', 't', 0, 1, $1, $1, false,
    '{"enrol": {"programme": "heart_failure", "version": 1}}' FROM patient
"""
_RESOLVE = """
WITH happened AS (
    INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by)
    SELECT patient_id, alert_id, organisation_id, opened_at + make_interval(mins => e.minutes), e.event, $2
    FROM alert, (VALUES (8, 'acknowledged'), (25, 'resolved')) AS e (minutes, event)
    WHERE alert_id = ANY ($1) ORDER BY e.minutes
)
UPDATE alert SET state = 'resolved', resolved_at = opened_at + interval '25 minutes', outcome = $3,
    owner = $2::uuid WHERE alert_id = ANY ($1)
"""
_READ = """
INSERT INTO reading (patient_id, organisation_id, kind, taken_at, received_at, device_id, revision, void,
    value, upload_id, log_partition, log_offset, log_position, too_late, source)
SELECT patient_id, organisation_id, 0, at, at, 'scale', 0, false, 80, patient_id, 0, 0, 0, false, 's'
FROM patient, generate_series($1::timestamptz, $2::timestamptz, interval '2 days') AS at
"""


async def fill(screens: Screens) -> None:
    """Eighteen patients in each of two wijken, three in one with a bad name, and two months of alerts."""
    ward, admin = screens.ward, screens.ward.admin
    now = to_datetime(await admin.fetchval("SELECT clock_us FROM log_position"))
    patients = [await ward.patient(WIJKEN[min(n // 18, 2)]) for n in range(39)]
    await admin.execute(
        "UPDATE patient_care SET wijk = p.wijk FROM patient AS p WHERE p.patient_id = patient_care.patient_id"
    )
    await admin.execute("UPDATE patient SET language = 'tr' WHERE wijk <> 'Loosduinen'")
    await admin.execute("UPDATE patient_care SET language = 'tr' WHERE wijk <> 'Loosduinen'")
    await admin.execute(_ENROL, now - timedelta(days=60))
    await admin.execute(
        "SELECT ensure_reading_partitions(ARRAY['2026-10-01', '2026-11-01', '2026-12-01']::date[])"
    )
    await admin.execute(_READ, now - timedelta(days=55), now)
    by = str(ward.people["M. Jansen"].person_id)
    for number, patient_id in enumerate(patients):
        for back in range(2, 54, 5 + number % 3):
            at = (now - timedelta(days=back, hours=number % 7)).isoformat()
            alert_id = await ward.alert(patient_id, opened_at=at)
            outcome = ("true_acted_on", "measuring_technique", "true_no_action", "by_itself")[
                (number + back) % 4
            ]
            await admin.execute(_RESOLVE, [alert_id], by if outcome != "by_itself" else str(uuid4()), outcome)


async def count(screens: Screens, database: str) -> None:
    """As alerting does when a day is over."""
    async with connected(database, role="thuiswacht_alerting", application="test") as pool:
        assert await look_after_figures(pool, Settings(), load_wijken())


@pytest.fixture
async def figures(screens: Screens, database: str) -> None:
    await fill(screens)
    await count(screens, database)


async def open_insight(screens: Screens, query: str = "", language: str = "nl", **options: Any) -> Page:
    return await screens.open("M. Jansen", f"/console/insight{query}", language=language, **options)


async def test_before_there_is_anything(screens: Screens, database: str) -> None:
    page = await open_insight(screens)
    await expect(page.locator(".empty")).to_contain_text("Er zijn nog geen cijfers")
    await require_accessible(page)
    await screens.ward.patient()
    await screens.ward.admin.execute(_ENROL, to_datetime(0))
    await count(screens, database)
    await page.reload()
    await expect(page.locator(".empty")).to_contain_text("Te weinig patiënten")
    await screens.picture(page, "insight-few")
    assert (await page.request.get(f"{screens.url}/console/insight/export.json")).status == 200


@pytest.mark.usefixtures("figures")
async def test_figures_in_both_languages(screens: Screens) -> None:
    for language, alerts, wijk in (
        ("nl", "Meldingen", "te klein om apart te tonen"),
        ("en", "Alerts", "too small"),
    ):
        page = await open_insight(screens, "?by=wijk", language)
        await expect(page.locator(".figure h3").first).to_have_text(alerts)
        await expect(page.locator(".figure .value").nth(3)).to_contain_text("8 min")
        await page.locator(".figure summary").first.click()
        await screens.picture(page, f"insight-{language}")
        # The wijk of three patients is not told, nor one more, from which they could be worked out.
        rows = page.locator("section[aria-labelledby=groups] tbody tr")
        await expect(rows.last).to_contain_text(wijk)
        assert "HYPERLINK" not in await page.content()
        await require_accessible(page)
    for look in ("dark", "contrast"):
        page = await open_insight(screens, look=look)
        await screens.picture(page, f"insight-{look}")
        await require_accessible(page)
    page = await open_insight(screens, phone=True)
    await screens.picture(page, "insight-phone")
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.usefixtures("figures")
async def test_filters(screens: Screens) -> None:
    page = await open_insight(screens)
    await page.get_by_label("Periode").select_option("13")
    await page.locator("#programme").select_option("heart_failure")
    await page.get_by_label("Verdelen per").select_option("language")
    await page.get_by_role("button", name="Tonen").click()
    await expect(page).to_have_url(
        f"{screens.url}/console/insight?weeks=13&programme=heart_failure&by=language"
    )
    await expect(page.locator("section[aria-labelledby=groups] tbody th")).to_have_text(
        ["Nederlands", "Turks"]
    )
    await expect(page.locator(".figure .compared").first).to_contain_text("In de periode ervoor: <10")


@pytest.mark.usefixtures("figures")
async def test_exports_are_harmless(screens: Screens, admin: Connection) -> None:
    await admin.execute("UPDATE organisation SET name = '@SUM(A1);\"x\"' WHERE organisation_id = $1", CENTRE)
    page = await open_insight(screens, "?by=organisation")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="CSV").click()
    download = await started.value
    assert download.suggested_filename == "thuiswacht-2026-12-01-4-weken.csv"
    text = (await download.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert ["Organisatie", '\'@SUM(A1);"x"'] in [row[:2] for row in rows]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    found = await page.request.get(f"{screens.url}/console/insight/export.json?weeks=4")
    content = json.loads(await found.text())
    assert content["report"]["figures"]["patients"] == 39
    assert set(content["definitions"]) == set(content["report"]["figures"]) - {"patients"}
    patients = await admin.fetch("SELECT patient_id FROM patient")
    for one in (text, json.dumps(content), await page.content()):
        assert not [row for row in patients if str(row["patient_id"]) in one]


@pytest.mark.usefixtures("figures")
async def test_who_sees_whose(screens: Screens, admin: Connection) -> None:
    """A carer sees those of their organisation, a coordinator everybody."""
    neighbours = UUID(int=77, version=4)
    await admin.execute("INSERT INTO organisation VALUES ($1, 'Buren', 'hospital', 'simulated')", neighbours)
    screens.ward.people["N. Buur"] = await screens.ward.somebody("N. Buur", Role.NURSE, neighbours)
    screens.ward.people["C. Regio"] = await screens.ward.somebody("C. Regio", Role.COORDINATOR, neighbours)
    page = await screens.open("N. Buur", "/console/insight")
    await expect(page.locator(".empty")).to_contain_text("Er zijn nog geen cijfers")
    page = await screens.open("C. Regio", "/console/insight")
    await expect(page.locator("main > p").first).to_contain_text("hele regio")
    await expect(page.locator("#key-figures ~ p")).to_contain_text("39 patiënten")
