"""A patient's page in a real browser: charts and what they say, why there are alerts, live, for everybody."""

from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.db.pool import Connection
from tests.browser.accessible import require_accessible
from tests.browser.measured import NOW_US, all_drawn, enrol, heart_patient, measure
from tests.browser.screens import Screens

pytestmark = pytest.mark.timeout(180)

_INKED = """chart => {
    const canvas = chart.querySelector("canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.reduce((count, one, place) => count + (place % 4 === 3 && one > 0), 0);
}"""

_FETCHED_MS = """() => performance.getEntriesByType("resource")
    .filter(one => one.name.includes("/series/")).map(one => Math.round(one.duration))"""


async def chart_of(page: Page, name: str) -> tuple[list[list[str]], int]:
    """The table of a chart, row by row, and how many of its pixels are drawn."""
    card = page.locator(f"#chart-{name}")
    table = card.locator("details[data-kept^=table]")
    if await table.get_attribute("open") is None:
        await table.locator("summary").click()
    rows = await table.locator("tbody tr").all()
    cells = [await row.locator("th, td").all_inner_texts() for row in rows]
    return cells, await card.evaluate(_INKED)


async def open_patient(screens: Screens, patient_id: UUID, who: str = "M. Jansen", **how: Any) -> Page:
    """Somebody before a patient's page, with all charts drawn."""
    page = await screens.open(who, f"/console/patients/{patient_id}", **how)
    await all_drawn(page)
    return page


async def test_everything_is_there_in_both_languages_and_for_everybody(
    screens: Screens, admin: Connection
) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    for language, look in (("nl", "light"), ("en", "dark"), ("nl", "contrast")):
        page = await open_patient(screens, patient_id, language=language, look=look)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Anna Visser")
        for said in ("Furosemide 40 mg", "Niet reanimeren", "<b>Slecht</b> geslapen"):
            await expect(page.get_by_text(said)).to_be_visible()
        await screens.picture(page, f"patient-{language}-{look}")
        await require_accessible(page)


async def test_a_finding_is_explained_with_its_value_and_its_limit(
    screens: Screens, admin: Connection
) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    page = await open_patient(screens, patient_id)
    alert = page.locator(".alert-card")
    await expect(alert).to_contain_text("Het gewicht is in 3 dagen snel gestegen. Dat kan vocht zijn.")
    await expect(alert).to_contain_text(
        "Het gewicht steeg 2,1 kg in 3 dagen; dat is meer dan de grens van 2,0 kg."
    )
    await alert.get_by_text("Metingen, grenzen en wanneer het voorbij is").click()
    await expect(alert).to_contain_text("di 01-12-2026 08:00: gewicht 84,1 kg")
    await expect(alert).to_contain_text("de standaard van het programma")


async def test_charts_are_drawn_and_tables_say_the_same(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Bos")
    await enrol(admin, patient_id, "heart_failure")
    weights = [(NOW_US - 2 * HOUR_US - day * DAY_US, 80.0 + day / 10) for day in range(6) if day != 2]
    await measure(admin, patient_id, "body_weight", weights, device="scale-1")
    page = await open_patient(screens, patient_id)
    rows, inked = await chart_of(page, "body_weight")
    assert inked > 3_000
    assert [row[1] for row in rows[:6]] == [
        "80,0 kg",
        "80,1 kg",
        "niet gemeten",
        "80,3 kg",
        "80,4 kg",
        "80,5 kg",
    ]
    sentence = page.locator("#chart-body_weight .sentence")
    await expect(sentence).to_contain_text("Gewicht 80,0 kg (08:00)")
    await expect(sentence).to_contain_text("grens: de stijging van het gewicht in 3 dagen meer dan 2,0 kg")
    await page.get_by_role("button", name="Jaar").click()
    await expect(page.locator("#charts button[aria-pressed=true]")).to_have_text("Jaar")
    await expect(page.locator("#chart-body_weight")).to_have_attribute("data-shown-days", "366")
    assert "days=366" in page.url


async def test_what_comes_late_is_shown_by_itself_and_the_table_stays_open(
    screens: Screens, admin: Connection
) -> None:
    patient_id, alert_id = await heart_patient(screens, admin)
    page = await open_patient(screens, patient_id)
    before, _ = await chart_of(page, "body_weight")
    assert before[0][1] == "84,1 kg"
    at_us = NOW_US - 2 * HOUR_US
    await measure(admin, patient_id, "body_weight", [(at_us, 81.4)], device="scale-1", revision=1)
    # Also one of yesterday is taken back: it is there no more.
    await measure(
        admin, patient_id, "body_weight", [(at_us - DAY_US, 0.0)], device="scale-1", revision=0, void=True
    )
    await admin.execute("NOTIFY alert_event")
    await page.evaluate("document.body.dispatchEvent(new CustomEvent('changed', {bubbles: true}))")
    card = page.locator("#chart-body_weight")
    await expect(card).to_contain_text("Gewicht 81,4 kg")
    after, _ = await chart_of(page, "body_weight")
    assert after[0][1] == "81,4 kg"
    assert "verbeterd" in after[0][2]
    assert after[1][1] != before[1][1]
    assert await page.locator(f"#alert-{alert_id}").count() == 1


async def test_zoom_and_focus_stay_when_the_page_looks_again(screens: Screens, admin: Connection) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    page = await open_patient(screens, patient_id)
    plot = page.locator("#chart-body_weight .u-over")
    box = await plot.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 100, box["y"] + 50)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 300, box["y"] + 60, steps=4)
    await page.mouse.up()
    back = page.get_by_role("button", name="Hele periode")
    await expect(back).to_be_visible()
    await page.get_by_role("button", name="Bellen", exact=True).focus()
    await measure(admin, patient_id, "body_weight", [(NOW_US - HOUR_US, 83.0)], device="scale-1")
    await page.evaluate("document.body.dispatchEvent(new CustomEvent('changed', {bubbles: true}))")
    await expect(page.locator("#chart-body_weight")).to_contain_text("Gewicht 83,0 kg")
    await expect(page.locator("#chart-body_weight")).to_have_attribute("data-zoomed", "true")
    await expect(page.get_by_role("button", name="Bellen", exact=True)).to_be_focused()
    await back.click()
    await expect(page.locator("#chart-body_weight")).not_to_have_attribute("data-zoomed", "true")


async def test_a_year_of_a_glucose_sensor_is_drawn(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Jansma", "Kees")
    await enrol(admin, patient_id, "diabetes")
    readings = [(NOW_US - HOUR_US - n * 5 * MINUTE_US, 7.0 + 3 * ((n % 97) / 97)) for n in range(105_000)]
    await measure(admin, patient_id, "glucose_cgm", readings, device="sensor-1")
    page = await screens.open("M. Jansen", f"/console/patients/{patient_id}?days=366")
    await all_drawn(page)
    card = page.locator("#chart-glucose_cgm")
    await expect(card).to_have_attribute("data-points", "105000")
    rows, inked = await chart_of(page, "glucose_cgm")
    assert inked > 3_000
    assert len(rows) == 366
    fetched = await page.evaluate(_FETCHED_MS)
    print(f"fetched in {fetched} ms, drawn in {await card.get_attribute('data-drawn-ms')} ms")
    await screens.picture(page, "patient-year")


async def test_whoever_is_named_strangely_is_shown_as_text(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("<script>alert(1)</script>\u202e\u200b", "مريم")
    await measure(admin, patient_id, "body_weight", [(NOW_US - HOUR_US, 70.0)], device='"><img src=x>')
    page = await open_patient(screens, patient_id)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")
    rows, _ = await chart_of(page, "body_weight")
    assert rows[0][2].startswith('"><img src=x>')
    assert await page.locator("img[src=x], main script").count() == 0
    await page.goto(f"{screens.url}/console/patients")
    await expect(page.get_by_role("link", name="<script>alert(1)</script>")).to_be_visible()
