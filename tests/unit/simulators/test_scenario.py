"""A scenario as a log: reproducible, in order, and read by ingest exactly as it was meant."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from models.clock import DAY_US, HOUR_US
from models.columns import Reason
from models.labels import label_lines, labels_digest
from models.messages import LATE_LIMIT_US
from simulators.devices.trouble import NO_TROUBLE, Rates
from simulators.scenarios.scenario import Scenario
from simulators.wire import TICK, Encoder, Message
from tests.unit.simulators.as_ingest import read
from tests.unit.simulators.programmes import small_programmes

PROGRAMMES = small_programmes()
# Through the night in which the clocks go forward.
START = date(2026, 3, 16)
OFTEN = Rates().times(8)


def scenario(seed: int = 5, patients: int = 80, days: int = 30, rates: Rates | None = None) -> Scenario:
    return Scenario(seed=seed, patients=patients, days=days, start=START, programmes=PROGRAMMES, rates=rates)


def messages_of(given: Scenario) -> list[Message]:
    encoder = Encoder(given, HOUR_US)
    return [message for day in given for message in encoder.day(day)]


@pytest.fixture(scope="module")
def troubled() -> list[Message]:
    return messages_of(scenario(rates=OFTEN))


def digest(messages: list[Message]) -> str:
    return hashlib.sha256(b"\n".join(message.value for message in messages)).hexdigest()


def test_the_same_seed_gives_the_same_log_and_labels() -> None:
    one, other = scenario(days=12), scenario(days=12)
    assert digest(messages_of(one)) == digest(messages_of(other))
    assert labels_digest(one.labels()) == labels_digest(other.labels())
    assert digest(messages_of(scenario(seed=6, days=12))) != digest(messages_of(scenario(days=12)))


def test_the_first_patients_of_a_seed_are_the_same_in_a_larger_population() -> None:
    few, many = (scenario(seed=7, patients=n, days=1).population for n in (3, 500))
    assert few.patient_text == many.patient_text[:3]
    np.testing.assert_array_equal(few.weight, many.weight[:3])


def test_what_a_seed_means_does_not_change() -> None:
    """Published figures name a seed: whoever changes this also changes what they were measured on."""
    population = scenario(seed=7, patients=1, days=1).population
    assert population.patient_text == ["b40df4b2-0f0c-4bc3-a0b0-999954157aac"]
    assert population.weight[0] == 99.98911745153205


def test_without_trouble_everything_is_accepted() -> None:
    messages = messages_of(scenario(rates=NO_TROUBLE))
    accepted, refused, received = read(messages)
    assert refused == []
    assert sum(map(len, accepted)) == received == sum(message.readings for message in messages) > 5_000
    assert not any(readings.too_late.any() for readings in accepted)
    keys = [
        (bytes(r.patient_id[row]), int(r.kind[row]), int(r.taken_at_us[row]), r.texts[int(r.device[row])])
        for r in accepted
        for row in range(len(r))
    ]
    assert len(set(keys)) == len(keys)


def test_trouble_is_refused_for_its_own_reason_and_counted(troubled: list[Message]) -> None:
    accepted, refused, received = read(troubled)
    assert received == sum(message.readings for message in troubled)
    assert sum(map(len, accepted)) + sum(refusal.readings for refusal in refused) == received
    reasons = Counter(refusal.reason for refusal in refused)
    assert set(reasons) == {
        Reason.INVALID_JSON,
        Reason.UNKNOWN_PATIENT,
        Reason.SENTINEL,
        Reason.IMPLAUSIBLE,
        Reason.TAKEN_IN_FUTURE,
        Reason.TAKEN_LONG_AGO,
    }


def test_trouble_leaves_its_marks_on_what_is_accepted(troubled: list[Message]) -> None:
    accepted, _, _ = read(troubled)
    assert any(readings.void.any() for readings in accepted)
    assert any((readings.absent >= 0).any() for readings in accepted)
    assert any((readings.text >= 0).any() for readings in accepted)
    assert any((readings.revision > 0).any() for readings in accepted)
    late = np.concatenate([readings.received_at_us - readings.taken_at_us for readings in accepted])
    too_late = np.concatenate([readings.too_late for readings in accepted])
    assert (too_late == (late > LATE_LIMIT_US)).all()
    assert too_late.any()
    units = {r.texts[int(unit)] for r in accepted for unit in np.unique(r.unit_received)}
    assert {"kg", "g", "mm[Hg]", "/min", "%"} <= units


def test_messages_come_in_order_and_time_is_driven_by_ticks(troubled: list[Message]) -> None:
    times = [message.at_us for message in troubled]
    assert times == sorted(times)
    ticks = [message.at_us for message in troubled if message.patient == TICK]
    # Thirty days, one of them an hour short.
    assert len(ticks) == 30 * 24 - 1
    assert set(np.diff(ticks).tolist()) == {HOUR_US}


def test_a_patient_is_registered_before_anything_else() -> None:
    given = scenario(rates=NO_TROUBLE)
    known: set[int] = set()
    for message in messages_of(given):
        if b'"register"' in message.value:
            known.add(message.patient)
        elif message.patient != TICK:
            assert message.patient in known
    assert len(known) == len(given.population)


def test_changes_of_every_sort_happen() -> None:
    given = scenario(patients=600, days=120, rates=NO_TROUBLE)
    seen = Counter(next(iter(change.content)) for day in given for change in day.changes)
    assert set(seen) == {
        "register", "enrol", "pause", "resume", "limits", "schedule", "admit", "discharge", "end",
    }  # fmt: skip
    assert seen["register"] == seen["enrol"] == 600


def test_labels_say_what_was_cut_off() -> None:
    given = scenario(patients=400, days=60)
    for _ in given:
        pass
    labels = given.labels()
    assert {label.cut_off for label in labels} == {True, False}
    assert all(label.cut_off == (label.worst_us >= given.end_us) for label in labels)
    assert all(given.begin_us <= label.onset_us < given.begin_us + 60 * DAY_US for label in labels)
    assert len(label_lines(labels)) == len(labels)
    assert labels_digest(labels) != labels_digest([replace(labels[0], kind="other"), *labels[1:]])


def test_everybody_is_enrolled_in_the_programme_on_devices_where_there_is_one() -> None:
    devices = PROGRAMMES["hypertension"].model_copy(update={"programme": "devices"})
    programmes = {**PROGRAMMES, "devices": devices}
    with_devices = Scenario(seed=3, patients=20, days=3, start=START, programmes=programmes)
    enrolled: dict[int, list[str]] = {}
    for day in range(3):
        for change in with_devices.day(day).changes:
            if "enrol" in change.content:
                enrolled.setdefault(change.patient, []).append(change.content["enrol"]["programme"])
    assert len(enrolled) == 20
    assert all(len(names) == 2 and names[1] == "devices" for names in enrolled.values())
