"""The technical room: refused and tried again, silent devices, incidents, trouble; empty and full."""

from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page, expect

from models.clock import to_datetime
from models.db.partitions import ensure_partitions
from models.db.readings import copy_readings
from models.db.trouble import raise_trouble
from models.escalations import Trouble
from models.findings import Severity
from tests.browser.accessible import require_accessible
from tests.browser.screens import Screens
from tests.integration.alerting.ward import CENTRE, HOSPITAL, PRACTICE
from tests.rows import Row, readings

pytestmark = pytest.mark.timeout(240)

NURSE, ENGINEER = "M. Jansen", "E. Vos"
_MESSAGE = """
INSERT INTO quarantine_message (cluster_id, topic, log_partition, log_offset, raw)
VALUES ('c', 't', 0, $1, '{}')
"""
_REFUSED = """
INSERT INTO quarantine (cluster_id, topic, log_partition, log_offset, log_position, patient_id, reason, field,
    expected, found, readings, device_id, source, kind)
VALUES ('c', 't', 0, $1, 0, $2, $3, $4, $5, $6, 1, $7, $8, $9)
"""
_NASTY = "\u202e<script>alert(1)</script>\u200b"


async def refuse(
    screens: Screens, patient_id: UUID | None, offset: int, reason: str = "unknown_unit", found: str = "stone"
) -> None:
    """A reading that was refused."""
    admin = screens.ward.admin
    await admin.execute(_MESSAGE, offset)
    await admin.execute(
        _REFUSED, offset, patient_id, reason, "unit", "a unit of body_weight", found,
        "scale-4711", "vendor-a", "body_weight",
    )  # fmt: skip


async def now_us(screens: Screens) -> int:
    """The log's time."""
    return await screens.ward.admin.fetchval("SELECT max(clock_us) FROM log_position")


async def both_languages(screens: Screens, who: str, path: str, name: str) -> None:
    """Nothing that axe finds serious, in either language; and pictures for who wants to look."""
    for language in ("nl", "en"):
        page = await screens.open(who, path, language=language)
        await require_accessible(page)
        await screens.picture(page, f"technical-{name}-{language}")
        await page.context.close()


async def test_where_all_is_well_it_says_so(screens: Screens) -> None:
    page = await screens.open(NURSE, "/console/technical")
    await expect(page.get_by_text("Alles komt binnen.").first).to_be_visible()
    await expect(page.locator("#delays .banner")).to_have_count(0)
    for row in ("Metingen opslaan", "Meldingen maken", "Doorzetten en versturen"):
        await expect(page.locator("tr", has_text=row)).to_contain_text("op tijd")
    await page.keyboard.press("2")
    await expect(page.locator(".empty")).to_contain_text("Alles komt binnen.")
    await page.keyboard.press("3")
    await expect(page.locator(".empty")).to_contain_text("Geen stille apparaten.")
    await page.context.close()
    for path, name in (("", "well"), ("/refused", "none-refused"), ("/devices", "no-devices")):
        await both_languages(screens, NURSE, f"/console/technical{path}", name)


async def test_one_several_and_all_that_was_refused_are_tried_again(screens: Screens) -> None:
    visser = await screens.patient("Visser", "Anna")
    nasty = await screens.patient(f"Smit{_NASTY}")
    for offset in range(1, 5):
        await refuse(screens, visser, offset, found=_NASTY if offset == 1 else "stone")
    for offset in (5, 6, 7):
        await refuse(screens, nasty, offset, "unknown_kind")
    await refuse(screens, None, 8, "invalid_json")
    await refuse(screens, uuid4(), 9)
    admin = screens.ward.admin
    tried = "SELECT array_agg(log_offset ORDER BY log_offset) FROM retry"

    page = await screens.open(NURSE, "/console/technical/refused")
    await expect(page.locator("tbody tr")).to_have_count(7)
    await expect(page.locator("#refused")).to_contain_text("<script>alert(1)</script>")
    await screens.picture(page, "technical-refused")
    await page.locator("#refused-0-5-0").get_by_role("button", name="Opnieuw").click()
    await expect(page.locator("#said")).to_contain_text("Eén bericht wordt opnieuw aangeboden.")
    await expect(page.locator("tbody tr")).to_have_count(6)
    assert await admin.fetchval(tried) == [5]

    await page.locator("#refused-0-1-0 input").check()
    await page.locator("#refused-0-2-0 input").check()
    await page.locator("h1").click()
    await page.keyboard.press("r")
    await expect(page.locator("#said")).to_contain_text("2 berichten worden opnieuw aangeboden.")
    await expect(page.locator("tbody tr")).to_have_count(4)
    assert await admin.fetchval(tried) == [1, 2, 5]

    await page.get_by_role("link", name="Onbekende eenheid (2)").click()
    await expect(page.locator("tbody tr")).to_have_count(2)
    await page.get_by_role("button", name="Alle 2 met deze reden opnieuw proberen").click()
    await expect(page.locator(".empty")).to_contain_text("Alles komt binnen.")
    assert await admin.fetchval(tried) == [1, 2, 3, 4, 5]

    await page.goto(f"{screens.url}/console/technical/refused?retried=true")
    await expect(page.locator("tbody tr")).to_have_count(7)
    await expect(page.locator("#refused-0-1-0")).to_contain_text("wordt opnieuw aangeboden")
    await page.locator("h1").click()
    await page.keyboard.press("a")
    await page.keyboard.press("r")
    await expect(page.locator("#said")).to_contain_text("2 berichten worden opnieuw aangeboden.")
    on_record = await admin.fetch(
        "SELECT cardinality(patients) FROM audit WHERE event_code = 'quarantine.retry' ORDER BY happened_us"
    )
    assert [row[0] for row in on_record] == [1, 1, 1, 1]
    await page.context.close()
    await both_languages(screens, NURSE, "/console/technical/refused?retried=true", "refused")
    await both_languages(screens, NURSE, "/console/technical", "figures")


async def test_nothing_chosen_is_said_where_it_was_asked(screens: Screens) -> None:
    await refuse(screens, await screens.patient("Visser"), 1)
    page = await screens.open(NURSE, "/console/technical/refused")
    await page.get_by_role("button", name="Gekozen metingen opnieuw proberen").click()
    await expect(page.locator("#said [role=alert]")).to_contain_text("Dit klopt niet")


async def test_a_device_of_which_nothing_comes_stands_there_and_one_that_works_does_not(
    screens: Screens,
) -> None:
    admin, at_us = screens.ward.admin, await now_us(screens)
    day_us = 86_400_000_000
    patient_id = await screens.patient("Visser")
    other = await screens.patient("Niemand")
    await ensure_partitions(admin, at_us - 9 * day_us, at_us)
    for device, who, days in (("scale-1", patient_id, 3), ("cuff-1", patient_id, 0), ("scale-2", other, 9)):
        await admin.execute(
            "INSERT INTO device_loan VALUES ($1, $2, $3, 'weegschaal', $4)",
            who, CENTRE, device, to_datetime(at_us - 30 * day_us),
        )  # fmt: skip
        row = Row(0, patient_id=who, device=device, taken_at_us=at_us - days * day_us - 1)
        await copy_readings(admin, [readings([row])])
    await admin.execute(
        "INSERT INTO device_loan VALUES ($1, $2, 'oximeter-1', 'device', $3)",
        patient_id, CENTRE, to_datetime(at_us - 2 * day_us),
    )  # fmt: skip
    await screens.ward.alert(patient_id, "silence", "low")

    page = await screens.open(NURSE, "/console/technical/devices")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_contain_text("oximeter-1")
    await expect(rows.nth(0)).to_contain_text("nog niets in 60 dagen")
    await expect(rows.nth(1)).to_contain_text("3 d geleden")
    await page.context.close()
    await both_languages(screens, NURSE, "/console/technical/devices", "devices")


async def test_technical_alerts_are_resolved_and_incidents_let_through(screens: Screens) -> None:
    ward, at_us = screens.ward, await now_us(screens)
    for trouble, subject in ((Trouble.UNDELIVERED, str(PRACTICE)), (Trouble.CANARY_LATE, "canaries")):
        await raise_trouble(
            ward.admin, trouble, subject,
            organisation_id=None, severity=Severity.HIGH, now_us=at_us, details=f"http 503 {_NASTY}",
        )  # fmt: skip
    patient_id = await screens.patient("Visser")
    alert_id = await ward.alert(patient_id, "silence", "low", held_back="incident")
    incident_id = uuid4()
    await ward.admin.execute(
        "INSERT INTO incident VALUES ($1, 'vendor-a', $2, $2, NULL, 40, 3)", incident_id, to_datetime(at_us)
    )
    await ward.admin.execute(
        "INSERT INTO incident_alert VALUES ($1, $2, $3, $4, $5)",
        patient_id, alert_id, CENTRE, incident_id, to_datetime(at_us),
    )  # fmt: skip
    await ward.admin.execute(
        """
        INSERT INTO message (patient_id, message_id, organisation_id, origin, kind, channel, severity, alerts,
            to_id, number, state, due_at, over_at, why)
        VALUES ($1, gen_random_uuid(), $2, 'simulated', 'escalation', 'webhook', 'high', '{}', $3, 1,
            'given_up', $4, $4, 'http 503')
        """,
        patient_id, CENTRE, HOSPITAL, to_datetime(at_us),
    )  # fmt: skip
    await both_languages(screens, ENGINEER, "/console/technical", "trouble")

    page = await screens.open(NURSE, "/console/technical")
    await expect(page.locator(".troubles li")).to_have_count(2)
    await expect(page.locator("tr", has_text="vendor-a")).to_contain_text("1 van 3")
    await expect(page.locator("tr", has_text="vendor-a")).to_contain_text("14:00")
    await expect(page.locator("section", has_text="Berichten die niet aankwamen")).to_contain_text("hospital")
    await page.get_by_role("button", name="Opgelost: Berichten komen niet aan").click()
    await expect(page.locator(".troubles li")).to_have_count(1)
    await page.get_by_role("button", name="Nu doorlaten").click()
    await expect(page.locator("tr", has_text="vendor-a")).to_contain_text("doorgelaten")
    row = await ward.admin.fetchrow("SELECT let_through_at, let_through_by FROM incident")
    assert row is not None
    assert row["let_through_by"] == ward.people[NURSE].person_id


async def test_looks_dark_in_contrast_and_on_a_phone(screens: Screens) -> None:
    patient_id = await screens.patient("Visser", "Anna")
    for offset in range(1, 4):
        await refuse(screens, patient_id, offset)
    for look, phone in (("dark", False), ("contrast", False), ("light", True)):
        for path, name in (("", "flow"), ("/refused", "refused")):
            page: Page = await screens.open(NURSE, f"/console/technical{path}", look=look, phone=phone)
            await require_accessible(page)
            await screens.picture(page, f"technical-{name}-{'phone' if phone else look}")
            await page.context.close()


async def test_who_sees_no_patients_sees_the_flow_alone(screens: Screens) -> None:
    from models.access import Role

    people = screens.ward.people
    people["B. Heer"] = await screens.ward.somebody("B. Heer", Role.ADMINISTRATOR, CENTRE)
    await refuse(screens, await screens.patient("Visser"), 1)
    page = await screens.open("B. Heer", "/console/technical")
    await expect(page.locator("#figures")).to_be_visible()
    await expect(page.locator(".tabs a")).to_have_count(1)
    await page.goto(f"{screens.url}/console/technical/refused")
    await expect(page.locator("h1")).to_have_text("Dit mag u niet zien of doen")
