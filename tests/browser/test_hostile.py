"""Hostile text in everything that people, devices and vendors can write: shown as text in every room.

The payload tries the ways out of HTML, attributes, scripts and templates at once, and turns the direction of
what follows it. Everybody then walks through all their rooms.
"""

from collections import Counter
from uuid import uuid4

import pytest
from playwright.async_api import Page

from models.access import Role
from models.db.pool import Connection
from tests.browser.measured import NOW_US, enrol, heart_patient, measure
from tests.browser.screens import Screens
from tests.browser.walking import Record, walk
from tests.integration.alerting.ward import CENTRE, PRACTICE

pytestmark = pytest.mark.timeout(900)

MARK = "kwaadaardig"
HOSTILE = (
    f"=1+1 {MARK} \"'><img src=x onerror=window.taken=1><script>window.taken=1</script></script>"
    "{{7*191}}${7*191}\u202e\u200b\u2066"
)
_POISON = """
UPDATE organisation SET name = $1 || kind;
UPDATE person SET name = name || $1;
UPDATE patient SET wijk = left($1, 200);
UPDATE patient_care SET treatment_plan = $1, advance_care = $1, wijk = left($1, 200);
"""
_NOTES = """
INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by, why)
SELECT patient_id, alert_id, organisation_id, opened_at, 'noted', $2, jsonb_build_object('text', $1::text)
FROM alert
"""
_ASKED = """
INSERT INTO escalation (patient_id, escalation_id, alert_id, organisation_id, step_no, recipient, request,
    to_role, to_organisation_id, asked_at, reason, question)
SELECT patient_id, gen_random_uuid(), alert_id, organisation_id, 0, 'huisarts', 'regular', 'huisarts', $2,
    opened_at, $1, $1
FROM alert
"""
_MESSAGE = """
INSERT INTO quarantine_message (cluster_id, topic, log_partition, log_offset, raw)
VALUES ('c', 't', 0, 1, '{}')
"""
_REFUSED = """
INSERT INTO quarantine (cluster_id, topic, log_partition, log_offset, log_position, patient_id, reason, field,
    expected, found, readings, device_id, source, kind)
VALUES ('c', 't', 0, 1, 0, $1, 'unknown_unit', $2, $2, $2, 1, left($2, 200), $2, $2)
"""
_LENT = """
INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at)
VALUES ($1, $2, $3, 'body_weight', '2026-11-01Z')
"""
_VIEW = """
INSERT INTO worklist_view (view_id, person_id, name, wanted) VALUES ($1, $2, $3, '{"severity": "high"}')
"""
# What came of the payload, other than text: elements, scripts that ran, templates that were filled in.
_BROKEN = """() => ({
    taken: window.taken ?? null,
    images: document.querySelectorAll('img[src="x"]').length,
    handlers: document.querySelectorAll('[onerror]').length,
    scripts: [...document.scripts].filter(one => !one.src).length,
    computed: document.body.textContent.includes('1337'),
    shown: document.body.textContent.includes('kwaadaardig'),
})"""
# Text that turns the direction must end with the element in which it stands.
_TURNED = r"""() => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const at = node.textContent.indexOf('\u202e');
        if (at < 0 || node.parentElement.closest('textarea, option, title, [hidden], .unseen')) continue;
        const isolates = /isolate|plaintext/.test(getComputedStyle(node.parentElement).unicodeBidi);
        const within = node.textContent.lastIndexOf('\u2068', at) >= 0;
        const isBlock = !/^inline/.test(getComputedStyle(node.parentElement).display);
        const isLast = node.textContent.slice(at).replace(/[\u200b\u2066\u2069\u202e]/g, '').trim() === ''
            && !node.nextSibling;
        if (isolates || within || (isBlock && isLast)) continue;
        found.push(node.parentElement.outerHTML.slice(0, 160));
    }
    return found;
}"""


async def poison(screens: Screens, admin: Connection) -> None:
    """Puts it wherever a text of somebody stands."""
    patient_id, _ = await heart_patient(screens, admin)
    other = await screens.patient(HOSTILE[:200], HOSTILE[:200])
    await enrol(admin, other, "heart_failure")
    await screens.ward.alert(other, severity="medium")
    weights = [(NOW_US - n * 86_400_000_000, 80.0) for n in range(1, 5)]
    for one in (patient_id, other):
        await measure(admin, one, "body_weight", weights, device=HOSTILE[:200])
    await admin.execute(_LENT, other, CENTRE, HOSTILE[:200])
    for statement in filter(str.strip, _POISON.split(";\n")):
        await admin.execute(statement, HOSTILE)
    nurse = screens.ward.people["M. Jansen"]
    await admin.execute(_NOTES, HOSTILE, str(nurse.person_id))
    await admin.execute(_ASKED, HOSTILE, PRACTICE)
    await admin.execute(_MESSAGE)
    await admin.execute(_REFUSED, patient_id, HOSTILE)
    await admin.execute(_VIEW, uuid4(), nurse.person_id, HOSTILE)


async def test_hostile_text_is_text_in_every_room_for_everybody(screens: Screens, admin: Connection) -> None:
    for role in (Role.ADMINISTRATOR, Role.COORDINATOR):
        screens.ward.people[role] = await screens.ward.somebody(role, role, CENTRE)
    await poison(screens, admin)
    shown: Counter[str] = Counter()
    turned: dict[str, list[str]] = {}

    async def look(page: Page) -> None:
        page.on("dialog", lambda dialog: screens.errors.append(f"a dialog opened: {dialog.message}"))
        found = await page.evaluate(_BROKEN)
        shown[page.url.removeprefix(screens.url).partition("?")[0]] += found.pop("shown")
        harmless = {"taken": None, "images": 0, "handlers": 0, "scripts": 0, "computed": False}
        assert found == harmless, (page.url, found)
        if found := await page.evaluate(_TURNED):
            turned[page.url.removeprefix(screens.url)] = found

    record = Record()
    for who in ("M. Jansen", "H. de Boer", "E. Vos", Role.ADMINISTRATOR, Role.COORDINATOR):
        await walk(screens, record, who, look)
    assert turned == {}
    rooms = {path.split("/")[2] for path, number in shown.items() if number}
    assert {"worklist", "patients", "technical", "administration", "huisarts"} <= rooms, shown
    assert [one for one in record.answers if one.status >= 500] == []
