"""Who was followed for how long: enrolments in and out, ends, canaries; and when they were away."""

from uuid import UUID

from alerting.backtest.found import NEVER_US
from alerting.shadow.followed import followed_of
from models.changes import PlacedChange
from models.clock import DAY_US
from models.messages import Change

FROM_US, UNTIL_US = 100 * DAY_US, 200 * DAY_US


def placed(patient: int, day: int, **change: object) -> PlacedChange:
    message = {
        "schema": 1,
        "type": "change",
        "change_id": str(UUID(int=day)),
        "patient_id": str(UUID(int=patient)),
        "valid_from_us": day * DAY_US,
        "change": change,
    }
    return PlacedChange(0, day, Change.model_validate(message), day * DAY_US)


def registered(patient: int, origin: str = "real") -> PlacedChange:
    return placed(patient, 1, register={"origin": origin, "organisation_id": str(UUID(int=9))})


def enrolled(patient: int, day: int, programme: str = "copd") -> PlacedChange:
    return placed(patient, day, enrol={"programme": programme, "version": 1})


def test_patients_are_followed_while_they_are_in_one_of_the_programmes() -> None:
    changes = [
        registered(1), enrolled(1, 2),
        registered(2), enrolled(2, 150), placed(2, 160, withdraw={"programme": "copd"}),
        registered(3), enrolled(3, 2), placed(3, 120, end={"reason": "finished"}),
        registered(4), enrolled(4, 2), placed(4, 90, end={"reason": "died"}),
        registered(5), enrolled(5, 2, "diabetes"),
        registered(6, "canary"), enrolled(6, 2),
        registered(7), enrolled(7, 300),
    ]  # fmt: skip
    followed, _ = followed_of(changes, {"copd"}, FROM_US, UNTIL_US)
    found = dict(zip(followed.patients, followed.days.tolist(), strict=True))
    assert found == {str(UUID(int=1)): 100.0, str(UUID(int=2)): 10.0, str(UUID(int=3)): 20.0}


def test_when_they_were_away() -> None:
    changes = [
        registered(1), enrolled(1, 2),
        placed(1, 110, pause={"until_us": 115 * DAY_US}),
        placed(1, 120, admit={}), placed(1, 125, discharge={}), placed(1, 190, admit={}),
    ]  # fmt: skip
    _, held = followed_of(changes, {"copd"}, FROM_US, UNTIL_US)
    spans = zip(held.admission.tolist(), held.from_us.tolist(), held.until_us.tolist(), strict=True)
    assert list(spans) == [
        (False, 110 * DAY_US, 115 * DAY_US),
        (True, 120 * DAY_US, 125 * DAY_US),
        (True, 190 * DAY_US, NEVER_US),
    ]
