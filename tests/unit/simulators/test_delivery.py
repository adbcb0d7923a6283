"""On the way from home to the log no reading is lost, and none comes twice but where that was planted."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import DAY_US, HOUR_US, MINUTE_US
from simulators.devices.delivery import DELAYS, Delivery
from simulators.devices.display import VENDORS
from simulators.devices.outages import HERD_S, Outage
from simulators.devices.trouble import NO_TROUBLE, Rates
from simulators.devices.uploads import Lines, Uploads, joined_lines, joined_uploads
from simulators.patients.calendar import midnight_us, offset_min
from simulators.patients.measurements import WORN
from simulators.scenarios.scenario import Scenario
from tests.unit.simulators.homes import BEFORE_THE_CLOCKS_CHANGE, EVERYBODY, PROGRAMMES, only

DAYS, PATIENTS = 3, 24
UNTIL_ALL_IS_THERE = 16
"""Late for twelve days at most, told every fourth day, away for some hours."""
WAYS = ("late", "duplicate", "shuffled", "vendor_away", "disconnected", "unknown_patient", "broken")
Row = tuple[int, int, int, int, float]


@dataclass(frozen=True)
class Measured:
    """What was shown at home on some days, before anything carried it."""

    scenario: Scenario
    days: list[Lines]

    def delivered(self, rates: Rates, outages: tuple[Outage, ...] = ()) -> tuple[Uploads, Delivery]:
        """All of it, in order of arrival, and the days after."""
        delivery = Delivery(self.scenario.population, self.scenario.homes, rates, outages)
        nothing = self.days[0].take(np.zeros(0, np.int64))
        came = [
            delivery.deliver(day, at(day), at(day + 1), self.days[day] if day < len(self.days) else nothing)
            for day in range(len(self.days) + UNTIL_ALL_IS_THERE)
        ]
        return joined_uploads(came), delivery


def at(day: int) -> int:
    return midnight_us(BEFORE_THE_CLOCKS_CHANGE, day)


@pytest.fixture(scope="module")
def measured() -> Measured:
    scenario = Scenario(
        seed=3, patients=PATIENTS, days=DAYS, start=BEFORE_THE_CLOCKS_CHANGE, programmes=PROGRAMMES,
        rates=NO_TROUBLE, said=EVERYBODY,
    )  # fmt: skip
    days: list[Lines] = []
    everybody = np.ones(PATIENTS, np.bool_)
    for day in range(DAYS):
        scenario.courses.begin_day(day, at(day), everybody)
        scenario.bodies.next_day(day, at(day))
        shown = scenario.showing.show(day, at(day), scenario.sessions.measure(day, at(day), everybody))
        assert not shown.told_later
        offset = offset_min(BEFORE_THE_CLOCKS_CHANGE, day)
        worn = scenario.worn.lines(day, at(day), at(day + 1), everybody, offset)
        days.append(joined_lines([shown.lines, *worn]))
    return Measured(scenario, days)


def rows_of(lines: Lines) -> Counter[Row]:
    return Counter(
        zip(
            lines.patient.tolist(), lines.device.tolist(), lines.kind.tolist(), lines.taken_at_us.tolist(),
            np.nan_to_num(lines.value, nan=-1.0).tolist(),
            strict=True,
        )
    )  # fmt: skip


shares = st.sampled_from([0.0, 0.3, 1.0])


@settings(max_examples=12, deadline=None)
@given(rates=st.fixed_dictionaries(dict.fromkeys(WAYS, shares)))
def test_each_reading_arrives_once_for_each_time_that_it_was_sent(
    measured: Measured, rates: dict[str, float]
) -> None:
    uploads, _ = measured.delivered(only(**rates))
    sent = rows_of(joined_lines(measured.days))
    whole = ~uploads.broken & (uploads.patient < PATIENTS)
    own = uploads.take(np.flatnonzero(whole))
    _, first, times = np.unique(own.upload_id, axis=0, return_index=True, return_counts=True)
    assert rows_of(own.take(first).lines) == sent
    assert set(times.tolist()) <= ({1, 2} if rates["duplicate"] else {1})
    # What strangers and torn messages carry is a copy of something that arrives whole as well.
    others = uploads.take(np.flatnonzero(~whole))
    known = {bytes(one) for one in own.upload_id}
    assert {bytes(one) for one in others.upload_id} <= known
    assert bool(len(others)) == bool(rates["unknown_patient"] or rates["broken"])


@settings(max_examples=12, deadline=None)
@given(rates=st.fixed_dictionaries(dict.fromkeys(WAYS, shares)))
def test_uploads_come_in_order_and_after_they_were_sent(measured: Measured, rates: dict[str, float]) -> None:
    uploads, _ = measured.delivered(only(**rates))
    assert (np.diff(uploads.received_at_us) >= 0).all()
    assert (uploads.received_at_us > uploads.sent_at_us).all()
    longest_us = int(max(high for _, _, high in DELAYS) * HOUR_US) + 3 * DAY_US
    assert (uploads.received_at_us - uploads.sent_at_us < longest_us).all()


def test_what_people_wear_is_sent_hour_by_hour_or_each_five_minutes(measured: Measured) -> None:
    uploads, _ = measured.delivered(NO_TROUBLE)
    worn = uploads.take(np.flatnonzero(np.isin(uploads.device, WORN)))
    ends = np.cumsum(worn.count)
    for device, longest_us in zip(WORN, (HOUR_US, 5 * MINUTE_US), strict=True):
        mine = worn.device == device
        assert mine.sum() > 50
        first = np.minimum.reduceat(worn.lines.taken_at_us, ends - worn.count)[mine]
        last = np.maximum.reduceat(worn.lines.taken_at_us, ends - worn.count)[mine]
        assert (last - first < longest_us).all()
        # Nobody waits for it: a minute and a half after its last value it is there.
        assert (worn.received_at_us[mine] - last < 100 * 1_000_000).all()


def test_a_vendor_that_was_away_delivers_the_herd_when_it_is_back(measured: Measured) -> None:
    outage = Outage(VENDORS[0], at(1) + 5 * HOUR_US, at(1) + 12 * HOUR_US)
    uploads, delivery = measured.delivered(NO_TROUBLE, (outage,))
    usual, _ = measured.delivered(NO_TROUBLE)
    sources = np.array([measured.scenario.homes.source_text(patient) for patient in range(PATIENTS)])
    mine = sources == VENDORS[0]
    inside = (usual.received_at_us >= outage.from_us) & (usual.received_at_us < outage.until_us)
    waits = inside & mine[usual.patient]
    waited = {bytes(one) for one in usual.upload_id[waits]}
    assert len(waited) >= 20
    held = np.array([bytes(one) in waited for one in uploads.upload_id])
    late_us = uploads.received_at_us[held] - outage.until_us
    assert ((late_us >= 0) & (late_us <= HERD_S * 1_000_000)).all()
    assert dict(zip(map(bytes, uploads.upload_id[~held]), uploads.received_at_us[~held], strict=True)) == {
        bytes(one): at_us
        for one, at_us in zip(usual.upload_id, usual.received_at_us, strict=True)
        if bytes(one) not in waited
    }
    # One label for each patient of whom something had to wait, no other.
    rows: list[int] = usual.patient[waits].tolist()
    who = {measured.scenario.population.patient_text[row] for row in rows}
    labels = delivery.labels_until(2**62)
    assert {label.patient_id for label in labels} == who
    assert len(labels) == len(who)
    assert {(label.kind, label.onset_us, label.end_us) for label in labels} == {
        ("vendor_away", outage.from_us, outage.until_us)
    }


@settings(max_examples=30, deadline=None)
@given(
    hours=st.lists(
        st.tuples(st.sampled_from(VENDORS), st.floats(0, 40), st.floats(0.1, 30)), min_size=1, max_size=4
    )
)
def test_outages_hold_what_a_person_would_hold(
    measured: Measured, hours: list[tuple[str, float, float]]
) -> None:
    outages = tuple(
        Outage(vendor, at(0) + int(begin * HOUR_US), at(0) + int((begin + length) * HOUR_US))
        for vendor, begin, length in hours
    )
    uploads, _ = measured.delivered(NO_TROUBLE, outages)
    usual, _ = measured.delivered(NO_TROUBLE)
    came = dict(zip(map(bytes, uploads.upload_id), uploads.received_at_us.tolist(), strict=True))
    for upload_id, patient, usual_us in zip(
        map(bytes, usual.upload_id), usual.patient.tolist(), usual.received_at_us.tolist(), strict=True
    ):
        until_us, vendor = usual_us, measured.scenario.homes.source_text(patient)
        # Until nothing holds it any more; the herd of one outage may run into the next one.
        while stopped := [
            one.until_us for one in outages if one.vendor == vendor and one.from_us <= until_us < one.until_us
        ]:
            until_us = max(stopped)
        assert 0 <= came[upload_id] - until_us <= len(outages) * HERD_S * 1_000_000 or _in_a_herd(
            came[upload_id], outages, vendor
        )


def _in_a_herd(at_us: int, outages: tuple[Outage, ...], vendor: str) -> bool:
    return any(one.vendor == vendor and 0 <= at_us - one.until_us <= HERD_S * 1_000_000 for one in outages)
