"""Each look on record, exactly: what browsers saw of patients against what the audit says, in a whole run.

Nobody is asked what they meant to show. Each patient has marks that occur nowhere else (id, name, ids of
alerts); a request touched the patients whose marks stand in it or in its answer. Those sets, by who asked,
must be those of the audit rows: as many, of the same patients, none more, none less.
"""

from collections import Counter
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from models.db.pool import Connection
from tests.browser.keys import Keys, row
from tests.browser.measured import all_drawn, enrol, heart_patient
from tests.browser.screens import Screens
from tests.browser.walking import Record, of_patients, walk

pytestmark = pytest.mark.timeout(600)

_ROWS = """
SELECT p.name, a.action, a.patients, a.outcome, a.event_code FROM audit AS a
JOIN person AS p ON p.person_id::text = a.user_id
WHERE a.source = 'thuiswacht.api' ORDER BY a.happened_us
"""
_THINGS = """
SELECT alert_id AS mark, patient_id FROM alert UNION ALL SELECT escalation_id, patient_id FROM escalation
"""
NURSE, HUISARTS = "M. Jansen", "H. de Boer"


async def handle(record: Record, page: Page, patient_id: UUID, name: str) -> None:
    """What a nurse does with alerts, from the list."""
    keys = Keys(page)
    await row(page, patient_id).locator("th a").click()
    await expect(page.locator("#detail")).to_contain_text(name)
    await keys.press("c")
    await keys.hears("geclaimd")
    await record.quiet()
    await keys.press("r", "1")
    await keys.hears("afgehandeld")
    await record.quiet()
    await keys.press("z")
    await expect(row(page, patient_id)).to_be_visible()
    await record.quiet()
    await keys.press("e")
    await page.fill("#ask-reason", "Twee kilo erbij, benauwd.")
    await page.locator("#menu-ask").get_by_role("button", name="Vragen").click()
    await keys.hears("gevraagd")
    await record.quiet()
    await page.locator("#search input").fill(name[:5])
    await page.locator("#search input").press("Enter")
    await record.quiet()


async def ring(record: Record, page: Page) -> None:
    """What a nurse does on a patient's page."""
    await all_drawn(page)
    dialog = page.locator("#dialog")
    await page.keyboard.press("b")
    await dialog.get_by_label("Niet bereikt").check()
    await dialog.get_by_role("button", name="Vastleggen").click()
    await expect(page.locator("#said")).to_contain_text("vastgelegd")
    await record.quiet()
    await page.keyboard.press("m")
    await dialog.get_by_label("Wanneer gemeten?").fill("2026-12-01T09:40")
    await dialog.get_by_label("Gewicht", exact=True).fill("84,3")
    await dialog.get_by_role("button", name="Invoeren").click()
    await expect(page.locator("#said")).to_contain_text("ingevoerd")
    await record.quiet()


async def test_what_was_seen_of_patients_is_on_record_and_nothing_else(
    screens: Screens, admin: Connection
) -> None:
    visser, _ = await heart_patient(screens, admin)
    marks = {str(visser): visser, "Visser": visser}
    for name in ("Aaldersma", "Brouwersma", "Catharinasma"):
        patient_id = await screens.patient(name, "Jo")
        await enrol(admin, patient_id, "heart_failure")
        marks |= {name: patient_id, str(patient_id): patient_id}
        if name != "Catharinasma":
            await screens.ward.alert(patient_id, severity="medium")
    # "A. Visser" is a huisarts here as well; she is called otherwise while somebody looks for patients.
    await admin.execute("UPDATE person SET name = 'A. Mol' WHERE name = 'A. Visser'")
    before = len(await admin.fetch(_ROWS))
    record = Record()

    page = await screens.open(NURSE, "/login")
    record.watch(page.context, NURSE)
    await page.goto(f"{screens.url}/console")
    await record.quiet()
    await handle(record, page, visser, "Visser")
    await page.goto(f"{screens.url}/console/patients/{visser}")
    await record.quiet()
    await ring(record, page)
    # Somebody whom she may not see, and an address that is none.
    stranger = UUID(int=77)
    marks[str(stranger)] = stranger
    await page.goto(f"{screens.url}/console/patients/{stranger}")
    await record.quiet()
    await page.context.close()
    for who in (NURSE, HUISARTS):
        been = await walk(screens, record, who)
        assert who == NURSE or any("letter" in one for one in been), "the letter was not read"
        assert any("patients" in one for one in been), "no patient was looked at"
        assert len(been) > 10, been

    marks |= {str(one["mark"]): one["patient_id"] for one in await admin.fetch(_THINGS)}
    rows = (await admin.fetch(_ROWS))[before:]
    assert record.cut_off == []
    assert len(rows) == len(record.answers) + record.listened, "each request is on record once"
    seen = Counter((one.who, found) for one in record.answers if (found := of_patients(one.text, marks)))
    said = Counter((one["name"], frozenset(one["patients"])) for one in rows if one["patients"])
    assert seen == said, f"seen, and not on record: {seen - said}; on record, and not seen: {said - seen}"
    assert sum(seen.values()) == sum(1 for one in rows if one["patients"]) > 40
    assert {frozenset({stranger})} == {
        frozenset(one["patients"]) for one in rows if one["outcome"] == "refused"
    }
