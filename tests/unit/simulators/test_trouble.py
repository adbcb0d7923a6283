"""Each trouble shows when it always happens, leaves the log clean when it never does, and is labelled."""

from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.columns import Reason
from models.errors import BadInput
from models.kinds import KIND_BY_NAME, KINDS
from models.messages import FUTURE_TOLERANCE_US, OLDEST_READING_US
from simulators.devices import trouble
from simulators.devices.spells import SPELLS, Spell
from simulators.devices.trouble import NO_TROUBLE, Rates
from simulators.devices.uploads import UNIT_TEXTS, Content
from simulators.patients.measurements import WORN, Device
from tests.unit.simulators.as_ingest import read
from tests.unit.simulators.homes import BEFORE_THE_CLOCKS_CHANGE, Homes, lived, only

WEIGHT, SYSTOLIC, SPO2, CGM, STATE = (
    KIND_BY_NAME[name].number for name in ("body_weight", "systolic", "spo2", "glucose_cgm", "device_state")
)
STATES = KIND_BY_NAME["device_state"].code_numbers
LONG_US = 10 * MINUTE_US


@pytest.fixture(scope="module")
def clean() -> Homes:
    return lived()


def heavier(homes: Homes, clean: Homes) -> list[float]:
    """By how much each weight is above the one of the same moment without trouble."""

    def weights(of: Homes) -> dict[tuple[int, int], float]:
        rows = np.flatnonzero(of.of(Device.SCALE, WEIGHT))
        keys = zip(of.lines.patient[rows].tolist(), of.lines.taken_at_us[rows].tolist(), strict=True)
        return dict(zip(keys, of.canonical[rows].tolist(), strict=True))

    usual = weights(clean)
    return [kg - usual[key] for key, kg in weights(homes).items() if key in usual]


def said(homes: Homes, state: str, device: Device) -> int:
    """How often devices told a state."""
    return int((homes.lines.code[homes.of(device, STATE)] == STATES[state]).sum())


def shifted(homes: Homes, clean: Homes, by_us: int) -> int:
    """How many readings carry a time that is off by so much."""

    def times(of: Homes) -> set[tuple[int, int, int]]:
        lines = of.lines
        return set(
            zip(lines.patient.tolist(), lines.kind.tolist(), (lines.taken_at_us).tolist(), strict=True)
        )

    usual = times(clean)
    return sum((patient, kind, at - by_us) in usual for patient, kind, at in times(homes) - usual)


def low_by_a_quarter(homes: Homes, clean: Homes) -> int:
    def values(of: Homes) -> dict[tuple[int, int], float]:
        rows = np.flatnonzero(of.of(Device.SENSOR, CGM))
        keys = zip(of.lines.patient[rows].tolist(), of.lines.taken_at_us[rows].tolist(), strict=True)
        return dict(zip(keys, of.canonical[rows].tolist(), strict=True))

    usual = values(clean)
    return sum(value < 0.75 * usual[key] for key, value in values(homes).items())


def in_another_order(homes: Homes, clean: Homes) -> int:
    """How many readings stand where without trouble another one does."""
    same = len(homes.lines) == len(clean.lines)
    return int((homes.lines.taken_at_us != clean.lines.taken_at_us).sum()) if same else 0


def held(homes: Homes, *, worn: bool) -> int:
    """Uploads that came long after they were sent."""
    late = homes.uploads.received_at_us - homes.uploads.sent_at_us > LONG_US
    return int((late & (np.isin(homes.uploads.device, WORN) == worn)).sum())


def with_content(homes: Homes, content: Content) -> int:
    return int((homes.lines.content == content).sum())


def units_of_weight(homes: Homes) -> int:
    """Patients whose scale says two units, or one unit for weights that differ twofold."""
    rows = homes.of(Device.SCALE, WEIGHT)
    switched = 0
    for patient in np.unique(homes.lines.patient[rows]):
        mine = rows & (homes.lines.patient == patient)
        usual = homes.scenario.population.weight[patient]
        ratio = homes.canonical[mine] / usual
        own = homes.scenario.homes.unit[WEIGHT, patient]
        switched += bool((homes.lines.unit[mine] != own).any() or (abs(np.log2(ratio)) > 0.8).any())
    return switched


def round_pressures(homes: Homes) -> float:
    rows = homes.of(Device.CUFF, SYSTOLIC) & (homes.lines.unit != UNIT_TEXTS.index("kPa"))
    return float((homes.lines.value[rows] % 5 == 0).mean())


def wild(homes: Homes) -> int:
    low, high = (np.array([getattr(kind, side) for kind in KINDS]) for side in ("low", "high"))
    kind = homes.lines.kind
    return int(((homes.canonical > high[kind]) | (homes.canonical < low[kind])).sum())


def of_exactly(homes: Homes, value: float, device: Device) -> int:
    return int((homes.lines.value[homes.of(device, SPO2)] == value).sum())


Mark = Callable[[Homes, Homes], float]
MARKS: dict[str, Mark] = {
    "flat_battery": lambda homes, _: said(homes, "battery_low", Device.CUFF),
    "clock_ahead": lambda homes, _: int((homes.lines.taken_at_us > homes.received_us + LONG_US).sum()),
    "clock_reset": lambda homes, _: int((homes.lines.taken_at_us < 40 * DAY_US).sum()),
    "unit_switched": lambda homes, _: units_of_weight(homes),
    "probe_off": lambda homes, _: of_exactly(homes, 50.0, Device.OXIMETER),
    "clothed": lambda homes, clean: sum(0.85 < kg < 2.15 for kg in heavier(homes, clean)),
    "clock_not_changed": lambda homes, clean: shifted(homes, clean, -HOUR_US),
    "someone_else": lambda homes, clean: sum(abs(kg) > 3 for kg in heavier(homes, clean)),
    "vendor_away": lambda homes, _: held(homes, worn=False),
    "disconnected": lambda homes, _: held(homes, worn=True),
    "not_worn": lambda homes, clean: (
        said(homes, "not_worn", Device.WEARABLE) - said(clean, "not_worn", Device.WEARABLE)
    ),
    "probe_loose": lambda homes, _: of_exactly(homes, 50.0, Device.WEARABLE),
    "sensor_dropout": lambda homes, clean: int(clean.of(Device.SENSOR).sum() - homes.of(Device.SENSOR).sum()),
    "compression_low": low_by_a_quarter,
    "digit_preference": lambda homes, _: round_pressures(homes) == 1.0,
    "sentinel": lambda homes, _: of_exactly(homes, 50.0, Device.OXIMETER),
    "implausible": lambda homes, _: wild(homes),
    "absent": lambda homes, _: with_content(homes, Content.ABSENT),
    "revised": lambda homes, _: int((homes.lines.revision > 0).sum()),
    "conflict": lambda homes, clean: len(homes.lines) - len(clean.lines),
    "remark": lambda homes, _: with_content(homes, Content.TEXT),
    "late": lambda homes, _: held(homes, worn=False),
    "duplicate": lambda homes, _: len(homes.uploads) - len(np.unique(homes.uploads.upload_id, axis=0)),
    "shuffled": in_another_order,
    "unknown_patient": lambda homes, _: int((homes.uploads.patient >= len(homes.scenario.population)).sum()),
    "broken": lambda homes, _: int(homes.uploads.broken.sum()),
}
"""By what each trouble is known: more than nothing where it happens, nothing where it does not."""

REFUSED: dict[str, set[Reason]] = {
    "clock_ahead": {Reason.TAKEN_IN_FUTURE},
    "clock_reset": {Reason.TAKEN_LONG_AGO},
    "unit_switched": {Reason.IMPLAUSIBLE},
    "probe_off": {Reason.SENTINEL},
    "probe_loose": {Reason.SENTINEL},
    "sentinel": {Reason.SENTINEL},
    "implausible": {Reason.IMPLAUSIBLE},
    "unknown_patient": {Reason.UNKNOWN_PATIENT},
    "broken": {Reason.INVALID_JSON},
}
"""For what ingest refuses readings of each trouble; of all others it refuses nothing."""
UNLABELLED = {
    "digit_preference", "sentinel", "implausible", "absent", "revised", "conflict", "remark", "late",
    "duplicate", "shuffled", "unknown_patient", "broken",
}  # fmt: skip


def test_every_trouble_is_known_by_something() -> None:
    assert [field.name for field in fields(Rates)] == list(MARKS)


@pytest.mark.parametrize("name", MARKS)
def test_a_trouble_shows_where_it_always_happens_and_only_there(name: str, clean: Homes) -> None:
    homes = lived(only(**{name: 1.0}))
    assert MARKS[name](homes, clean) > 0
    assert not MARKS[name](clean, clean)
    assert homes.technical == (set() if name in UNLABELLED else {name})
    accepted, refused, received = read(homes.messages)
    assert {refusal.reason for refusal in refused} == REFUSED.get(name, set())
    assert sum(map(len, accepted)) + sum(refusal.readings for refusal in refused) == received
    assert received == homes.uploads.readings


@pytest.mark.parametrize("text", ["late", "late=", "late=2", "late=-0.1", "late=nan", "=0.5", "lat=0.5"])
def test_a_rate_that_is_none_is_refused_and_the_names_are_told(text: str) -> None:
    expected = "NAME=SHARE with a share from 0 to 1 and NAME one of flat_battery, clock_ahead, "
    with pytest.raises(BadInput, match=expected) as told:
        NO_TROUBLE.changed((text,))
    assert told.value.found == text


def test_rates_of_all_are_multiplied_and_never_above_one() -> None:
    often = Rates().times(1000)
    assert often.vendor_away == 1.0
    assert often.broken == pytest.approx(0.3)
    assert Rates().times(0) == NO_TROUBLE


@pytest.mark.parametrize("spell", SPELLS, ids=lambda spell: spell.name)
def test_a_spell_is_labelled_for_as_long_as_it_lasts(spell: Spell) -> None:
    homes = lived(only(**{spell.name: 1.0}), patients=40, days=12)
    labels = homes.labels(spell.name)
    assert {label.about for label in labels} == {spell.about}
    for label in labels:
        days = (label.end_us - label.onset_us) / DAY_US
        assert round(spell.days.low) <= days <= round(spell.days.high)
        assert label.detectable_at_us in {label.onset_us, None}
        assert (label.signals, label.cut_off, label.admitted) == ((), False, False)
    # One at a time of each patient, and only with a device that they have used that day.
    by_patient = sorted(labels, key=lambda label: (label.patient_id, label.onset_us))
    for one, other in pairwise(by_patient):
        assert one.patient_id != other.patient_id or one.end_us <= other.onset_us
    noticed = [label.detectable_at_us is not None for label in labels]
    assert (0.2 < np.mean(noticed) < 0.8) if spell.noticeable < 1 else all(noticed)


def test_a_device_with_a_flat_battery_is_silent_until_it_is_charged() -> None:
    homes = lived(only(flat_battery=1.0), patients=40, days=12)
    lines = homes.lines
    rows = {text: row for row, text in enumerate(homes.scenario.population.patient_text)}
    silent = 0
    for label in homes.labels("flat_battery"):
        mine = (lines.patient == rows[label.patient_id]) & (lines.taken_at_us >= label.onset_us)
        today = mine & (lines.taken_at_us < label.onset_us + DAY_US)
        low = today & (lines.kind == STATE) & (lines.code == STATES["battery_low"])
        # A scale may say so of itself as well, each week.
        said_by = set(lines.device[low].tolist()) - {Device.SCALE}
        if len(said_by) != 1:
            continue
        device = said_by.pop()
        after = mine & (lines.taken_at_us >= label.onset_us + DAY_US) & (lines.taken_at_us < label.end_us)
        assert not (lines.device[after] == device).any()
        silent += 1
    assert silent > 10


def test_a_clock_that_nobody_sets_is_an_hour_off_both_ways() -> None:
    for start, hours in ((BEFORE_THE_CLOCKS_CHANGE, -1), (date(2026, 10, 23), 1)):
        homes, clean = lived(only(clock_not_changed=1.0), start=start), lived(start=start)
        assert shifted(homes, clean, hours * HOUR_US) > 20
        assert not shifted(homes, clean, -hours * HOUR_US)


def test_a_switched_unit_is_named_by_half_of_the_devices() -> None:
    homes = lived(only(unit_switched=1.0), patients=60, days=2)
    labels = homes.labels("unit_switched")
    named = {label.patient_id for label in labels if label.detectable_at_us is None}
    rows = homes.of(Device.SCALE, WEIGHT)
    patients: list[int] = np.unique(homes.lines.patient[rows]).tolist()
    for patient in patients:
        text = homes.scenario.population.patient_text[patient]
        if text not in {label.patient_id for label in labels}:
            continue
        mine = rows & (homes.lines.patient == patient)
        ratio = homes.canonical[mine] / homes.scenario.population.weight[patient]
        # Who names the new unit tells the same weight; who does not is off by a factor of 2.2 for a scale.
        if text in named:
            assert (abs(ratio - 1) < 0.2).all()


def test_a_month_in_which_much_goes_wrong_is_judged_as_its_columns_say() -> None:
    homes = lived(Rates().times(8), patients=40, days=30, seed=9)
    accepted, refused, received = read(homes.messages)
    reasons = Counter[Reason]()
    for refusal in refused:
        reasons[refusal.reason] += refusal.readings
    assert reasons == expected_reasons(homes)
    assert len(reasons) == 6
    assert sum(map(len, accepted)) + sum(reasons.values()) == received == homes.uploads.readings


def expected_reasons(homes: Homes) -> Counter[Reason]:
    """Reading by reading, without looking at what ingest does."""
    uploads, lines, canonical = homes.uploads, homes.lines, homes.canonical
    patient = np.repeat(uploads.patient, uploads.count).tolist()
    broken = np.repeat(uploads.broken, uploads.count).tolist()
    found = Counter[Reason]()
    for row, (at_us, received_us) in enumerate(
        zip(lines.taken_at_us.tolist(), homes.received_us.tolist(), strict=True)
    ):
        kind = KINDS[int(lines.kind[row])]
        value, shown = float(canonical[row]), float(lines.value[row])
        if broken[row]:
            found[Reason.INVALID_JSON] += 1
        elif patient[row] >= len(homes.scenario.population):
            found[Reason.UNKNOWN_PATIENT] += 1
        elif at_us - received_us > FUTURE_TOLERANCE_US:
            found[Reason.TAKEN_IN_FUTURE] += 1
        elif received_us - at_us > OLDEST_READING_US:
            found[Reason.TAKEN_LONG_AGO] += 1
        elif lines.content[row] != Content.VALUE:
            continue
        elif value in kind.sentinels or shown in kind.sentinels:
            found[Reason.SENTINEL] += 1
        elif not (kind.low <= value <= kind.high):
            found[Reason.IMPLAUSIBLE] += 1
    return found


def test_devices_send_only_from_homes_that_have_them() -> None:
    homes = lived(Rates().times(20), patients=60, days=4)
    uploads, has = homes.uploads, homes.scenario.homes.has
    known = uploads.patient < len(homes.scenario.population)
    assert has[uploads.patient[known], uploads.device[known]].all()
    assert {int(device) for device in np.unique(uploads.device)} == set(Device)


def test_the_readme_tells_of_every_trouble_and_no_other() -> None:
    readme = (Path(trouble.__file__).parent / "README.md").read_text(encoding="utf-8")
    table = readme.split("| rate | what happens |")[1].split("\n\n")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    told = [name.strip(" `") for cell in first_cells for name in cell.split(",")]
    assert sorted(told) == sorted(MARKS)
