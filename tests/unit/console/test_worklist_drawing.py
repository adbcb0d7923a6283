"""Rows are drawn once for all who are to see the same, and for nobody else."""
# pyright: reportPrivateUsage=false

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

from alerting.console.texts import Speaker
from alerting.console.worklist.drawing import KEPT_US, Drawn
from alerting.console.worklist.listing import Called, Listing
from alerting.console.worklist.rows import Seeing, rows_of
from alerting.explain.vocabulary import Both, Language
from alerting.worklist.rules import load_rules
from models.access import Role, User
from models.alerts import Alert, AlertState, HandOver
from models.clock import HOUR_US, MINUTE_US
from models.db.open_patients import OpenAlert
from models.findings import Severity, Signal
from models.identity import Identity
from models.messages import Origin
from models.settings import Settings

NOW_US = 1_796_029_200_000_000
CENTRE = UUID(int=1)
ANNA, BEN = (User(UUID(int=n), CENTRE, Role.NURSE) for n in (2, 3))
CALLED = Called({}, {"heart_failure": Both("Hartfalen", "Heart failure")})
RULES = load_rules(Settings())
PATIENT = UUID(int=9)
ALERT = Alert(
    alert_id=UUID(int=10), patient_id=PATIENT, organisation_id=CENTRE, signal=Signal.FLUID,
    severity=Severity.HIGH, opened_at_us=NOW_US - HOUR_US, origin=Origin.SIMULATED,
)  # fmt: skip
ANNAS = replace(ALERT, state=AlertState.ACKNOWLEDGED, owner=ANNA.person_id, resolve_by_us=NOW_US + HOUR_US)


def listing(
    alert: Alert, user: User = ANNA, name: str = "de Vries", now_us: int = NOW_US, patient_id: UUID = PATIENT
) -> Listing:
    seeing = Seeing(user, now_us, Language.NL, RULES.policies, {}, {})
    found = OpenAlert(replace(alert, patient_id=patient_id), "Laak", "Anna", None, None)
    who = Identity(family_name=name, birth_date=date(1950, 1, 1))
    return Listing(
        rows_of([[found]], {alert.alert_id: []}, {patient_id: who}, seeing), False, seeing, CALLED, ""
    )


def drawn(drawer: Drawn, one: Listing, language: Language = Language.NL) -> str:
    (row,) = drawer.draw(one, Speaker(language))
    return str(row)


def test_whatever_was_drawn_before_everybody_sees_their_own() -> None:
    offered = replace(ANNAS, hand_over=HandOver(Role.NURSE, CENTRE, BEN.person_id, NOW_US + MINUTE_US))
    looks = [
        (listing(alert, user, name, now_us), language)
        for alert in (ALERT, ANNAS, offered, replace(ALERT, version=2), replace(ALERT, severity=Severity.LOW))
        for user in (ANNA, BEN)
        for name in ("de Vries", "<b>Bos</b>")
        for now_us in (NOW_US, NOW_US + KEPT_US - 1, NOW_US + 7 * MINUTE_US)
        for language in Language
    ]
    kept = Drawn()
    for one, language in [*looks, *reversed(looks), *looks[::7]]:
        assert drawn(kept, one, language) == drawn(Drawn(), one, language)


def test_what_is_the_same_for_two_people_is_drawn_once() -> None:
    kept = Drawn()
    first = kept.draw(listing(ALERT, ANNA), Speaker(Language.NL))
    again = kept.draw(listing(ALERT, BEN, now_us=NOW_US + KEPT_US - 1), Speaker(Language.NL))
    assert first[0] is again[0]
    whose = [drawn(kept, listing(ANNAS, user)) for user in (ANNA, BEN)]
    assert ["mine" in one for one in whose] == [True, False]


def test_names_are_forgotten_when_the_time_is_over() -> None:
    kept = Drawn()
    drawn(kept, listing(ALERT, name="Geheim"))
    drawn(kept, listing(ALERT, now_us=NOW_US + KEPT_US))
    assert "Geheim" not in repr(kept)


def test_no_more_is_kept_than_there_is_room_for() -> None:
    kept = Drawn(most=3)
    for _ in range(10):
        drawn(kept, listing(ALERT, patient_id=uuid4()))
        assert len(kept._rows) <= 4
