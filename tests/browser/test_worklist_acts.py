"""Acts from the worklist by keys: each with its way back, several at once, between colleagues, counted."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import expect

from tests.browser.accessible import require_accessible
from tests.browser.keys import Keys, row, says
from tests.browser.screens import Screens

pytestmark = pytest.mark.timeout(180)


async def alert_of(screens: Screens, alert_id: UUID) -> Any:
    return await screens.ward.admin.fetchrow("SELECT * FROM alert WHERE alert_id = $1", alert_id)


async def test_from_an_alert_to_a_documented_outcome(screens: Screens) -> None:
    patient_id = await screens.patient("de Vries", "Anna")
    alert_id = await screens.ward.alert(patient_id)
    keys = Keys(await screens.open("M. Jansen"))
    await keys.press("j", "Enter")
    await expect(keys.page.locator("#detail h2")).to_contain_text("de Vries")
    await keys.press("c")
    await keys.hears("geclaimd")
    await expect(row(keys.page, patient_id).locator(".mine")).to_be_visible()
    await keys.press("r", "1")
    await keys.hears("afgehandeld")
    stands = await alert_of(screens, alert_id)
    assert (stands["state"], stands["outcome"]) == ("resolved", "true_acted_on")
    assert len(keys.pressed) <= 12, keys.pressed


async def test_each_act_can_be_undone(screens: Screens) -> None:
    patient_id = await screens.patient("de Vries", "Anna")
    alert_id = await screens.ward.alert(patient_id, severity="medium")
    keys = Keys(await screens.open("M. Jansen"))
    of_patient = row(keys.page, patient_id)
    for act, said, undone in (
        (("c",), "geclaimd", "teruggegeven"),
        (("s", "1"), "sluimert", "teruggegeven"),
        (("r", "2"), "afgehandeld", "weer open"),
    ):
        await keys.press(*act)
        await keys.hears(said)
        await keys.press("z")
        await keys.hears(undone)
        assert (await alert_of(screens, alert_id))["state"] == "open"
        await expect(of_patient.locator("em")).to_have_text("niemand")
    await keys.press("c")
    await keys.hears("geclaimd")
    await expect(of_patient.locator(".mine")).to_be_visible()
    await keys.press("h", "1")
    await keys.hears("aangeboden")
    await expect(of_patient.locator(".tag.offered")).to_contain_text("P. Smit")
    await keys.press("z")
    await keys.hears("aanbod ingetrokken")
    stands = await alert_of(screens, alert_id)
    assert (stands["state"], stands["handed_to_role"]) == ("acknowledged", None)
    await expect(of_patient.locator(".tag.offered")).to_have_count(0)
    await keys.press("b")
    await keys.hears("teruggegeven")


async def test_two_nurses_race_for_a_claim(screens: Screens) -> None:
    patient_id = await screens.patient("de Vries", "Anna")
    await screens.ward.alert(patient_id)
    names = ("M. Jansen", "P. Smit")
    nurses = {name: Keys(await screens.open(name)) for name in names}
    await asyncio.gather(*(nurse.press("c") for nurse in nurses.values()))
    for nurse in nurses.values():
        await expect(nurse.page.locator("#said .banner")).to_have_count(1)
    won = [n for n in names if "geclaimd" in await nurses[n].page.locator("#said").inner_text()]
    assert len(won) == 1
    (lost,) = set(names) - set(won)
    await nurses[lost].hears(f"{won[0]} heeft deze melding nu.")
    await expect(row(nurses[lost].page, patient_id).locator(".owner")).to_contain_text(won[0])
    await screens.picture(nurses[lost].page, "worklist-lost")


async def test_several_at_once_with_what_came_of_each(screens: Screens) -> None:
    patients = [await screens.patient(name) for name in ("Aas", "Bos", "Cals")]
    alerts = [
        await screens.ward.alert(one, opened_at=f"2026-12-01T0{n}:00:00+00:00")
        for n, one in enumerate(patients, 5)
    ]
    keys = Keys(await screens.open("M. Jansen"))
    await keys.press("j", "x", "j", "x")
    await expect(keys.page.locator("#chosen")).to_have_text("Met 2 gekozen:")
    await screens.picture(keys.page, "worklist-chosen")
    await keys.press("c")
    await keys.hears("2 patiënten: geclaimd")
    assert [(await alert_of(screens, one))["state"] for one in alerts] == ["acknowledged"] * 2 + ["open"]
    other = Keys(await screens.open("P. Smit"))
    await other.press("Shift+A", "r", "6")
    for text in ("Cals: afgehandeld.", "Aas", "Bos", "M. Jansen heeft deze melding nu."):
        await other.hears(text)
    assert [(await alert_of(screens, one))["state"] for one in alerts] == ["acknowledged"] * 2 + ["resolved"]


async def test_what_the_policy_does_not_allow_is_said(screens: Screens) -> None:
    patient_id = await screens.patient("de Vries", "Anna")
    await screens.ward.alert(patient_id)
    keys = Keys(await screens.open("M. Jansen"))
    await keys.press("s", "3")
    await expect(keys.page.locator("#menu-snooze [data-said]")).to_contain_text("Zo lang sluimeren mag niet")
    await keys.press("Escape", "h", "1")
    await expect(keys.page.locator("#menu-hand-over [data-said]")).to_contain_text("Claim haar eerst")


async def test_handing_over_and_accepting(screens: Screens) -> None:
    patients = [await screens.patient(name) for name in ("Aas", "Bos")]
    for n, one in enumerate(patients, 7):
        await screens.ward.alert(one, opened_at=f"2026-12-01T0{n}:00:00+00:00")
    giver = Keys(await screens.open("M. Jansen"))
    await giver.press("Shift+A", "c")
    await giver.hears("2 patiënten: geclaimd")
    await giver.press("o")
    await giver.write("Dochter gebeld, belt terug.")
    await giver.press("Tab", "Enter")
    await giver.hears("notitie bewaard")
    await giver.press("w")
    await expect(giver.page.get_by_role("heading", name="Bij u")).to_be_visible()
    await expect(giver.page.locator("td.words").first).to_contain_text("Dochter gebeld")
    await require_accessible(giver.page)
    await giver.page.select_option("#to", label="P. Smit")
    await giver.press("h")
    await giver.hears("2 patiënten: aangeboden")
    await expect(giver.page.locator(".tag.state").first).to_contain_text(says("aangeboden aan P. Smit"))
    await screens.picture(giver.page, "worklist-shift")
    taker = Keys(await screens.open("P. Smit"))
    offered = taker.page.locator("#worklist .tag.offered_to_you")
    await expect(offered).to_have_count(2)
    await screens.picture(taker.page, "worklist-offered")
    await taker.press("j", "d", "1")
    await taker.hears("Aas: niet aangenomen.")
    await expect(offered).to_have_count(1)
    await taker.press("Shift+A", "a")
    await taker.hears("Bos: aangenomen.")
    await taker.hears("M. Jansen heeft deze melding nu.")
    owners = await screens.ward.admin.fetch("SELECT owner FROM alert ORDER BY owner")
    assert {row["owner"] for row in owners} == {
        screens.ward.people[name].person_id for name in ("M. Jansen", "P. Smit")
    }


async def test_a_question_to_the_huisarts(screens: Screens) -> None:
    patient_id = await screens.patient("de Vries", "Anna")
    await screens.ward.alert(patient_id)
    keys = Keys(await screens.open("M. Jansen"))
    await keys.press("e")
    await screens.picture(keys.page, "worklist-ask")
    await require_accessible(keys.page)
    await keys.page.fill("#ask-reason", "Twee kilo erbij, benauwd.")
    await keys.page.locator("#menu-ask").get_by_role("button", name="Vragen").click()
    await keys.hears("gevraagd")
    await row(keys.page, patient_id).locator("th a").click()
    await expect(keys.page.locator("#detail")).to_contain_text("Gevraagd aan de huisarts")


async def test_a_whole_shift_by_keys(screens: Screens) -> None:
    patients = {name: await screens.patient(name) for name in ("Aas", "Bos", "Cals", "Dam")}
    ward = screens.ward
    for n, one in enumerate(patients.values(), 5):
        await ward.alert(one, severity="medium", opened_at=f"2026-12-01T0{n}:00:00+00:00")
    keys = Keys(await screens.open("M. Jansen"))
    page = keys.page
    current = page.locator("#worklist tr.current th a")
    await keys.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await screens.picture(page, "worklist-help")
    await keys.press("Escape", "j")
    await expect(current).to_have_text("Aas")
    await keys.press("Enter", "c")
    await keys.hears("Aas: geclaimd")
    await keys.press("r", "0")
    await keys.write("Gebeld, gaat goed.")
    await keys.press("Tab")
    await keys.press("Escape", "r", "2")
    await keys.hears("Aas: afgehandeld")
    await expect(row(page, patients["Aas"])).to_contain_class("gone")
    await keys.press("j")
    await expect(current).to_have_text("Bos")
    await keys.press("s", "2")
    await keys.hears("Bos: sluimert")
    await keys.press("j", "c")
    await keys.hears("Cals: geclaimd")
    await keys.press("o")
    await keys.write("Niet bereikt.")
    await keys.press("Tab", "Enter")
    await keys.hears("Cals: notitie bewaard")
    await keys.press("n")
    await expect(page.locator("#worklist tbody tr")).to_have_count(2)
    await keys.press("Shift+A", "c", "w")
    await expect(page.get_by_role("heading", name="Bij u")).to_be_visible()
    states = await ward.admin.fetch("SELECT state, count(*) FROM alert GROUP BY state ORDER BY state")
    assert [tuple(one) for one in states] == [("acknowledged", 3), ("resolved", 1)]
