"""Random programmes and random logs, made so that things coincide: values at limits, times at deadlines."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from alerting.engine.programme import Programme
from tests.naive.changes import Message

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
STARTS_US = (
    1_774_396_800_000_000,  # 2026-03-25 00:00 UTC: four days before the clock goes forward
    1_792_627_200_000_000,  # 2026-10-22 00:00 UTC: three days before it goes back
    1_780_272_000_000_000,  # 2026-06-01 00:00 UTC
)
PATIENTS = tuple(str(UUID(int=i)) for i in (1, 2))
DEVICES = ("scale", "cuff", "other")
TEXT = {"nl": "tekst", "en": "text"}

LIMITS: dict[str, tuple[float, str]] = {
    "gain": (2.0, "kg"),
    "small": (1.0, "kg"),
    "weight": (81.0, "kg"),
    "pounds": (3.0, "[lb_av]"),
    "heavy": (178.0, "[lb_av]"),
    "grams": (81_000.0, "g"),
    "pressure": (135.0, "mm[Hg]"),
    "step": (5.0, "mm[Hg]"),
    "beats": (100.0, "/min"),
    "once": (1.0, "1"),
    "twice": (2.0, "1"),
    "hours": (6.0, "h"),
    "day": (1.0, "d"),
    "moment": (0.5, "min"),
}
OF_KIND = {
    "body_weight": ("gain", "small", "weight", "pounds", "heavy", "grams"),
    "systolic": ("pressure", "step"),
    "diastolic": ("pressure", "step"),
    "heart_rate": ("beats",),
}
CODED = "symptom_dyspnoea"
UNITS_SENT = {
    "body_weight": ("kg", "kg", "g", "[lb_av]", "lb"),
    "systolic": ("mmHg",),
    "diastolic": ("mmHg",),
    "heart_rate": ("bpm",),
    "pulse": ("/min",),
    "steps": ("steps",),
}
POUNDS = (176.0, 176.5, 178.0, 179.0, 179.000001, 181.0)
VALUES_SENT = {
    "kg": (80.0, 80.1, 81.0, 82.0, 82.000001, 81.999999, 83.0, 85.0),
    "g": (80_000.0, 81_000.0, 82_000.0, 85_000.0, 79_999.0),
    "[lb_av]": POUNDS,
    "lb": POUNDS,
    "mmHg": (130.0, 134.9, 135.0, 140.0),
    "bpm": (90.0, 100.0, 101.0),
    "/min": (90.0, 100.0, 101.0),
    "steps": (100.0,),
}
SCHEDULES = {
    "morning": {"kind": "body_weight", "before": "11:00"},
    "night": {"kind": "systolic", "before": "02:30"},
    "weekly": {"kind": "heart_rate", "before": "00:00", "on": ["sun", "mon"]},
}
WINDOWS = ("days=1", "days=3", "hours=6", "hours=25", "days=9")


@cache
def pick(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """One of some values; kept, because making a strategy costs more than drawing from it."""
    return st.sampled_from(values)


@st.composite
def a_comparison(draw: st.DrawFn) -> str:
    comparator = draw(pick((">", ">=", "<", "<=")))
    name = draw(pick(("last", "rise", "fall", "mean", "min", "max", "count", "age", "missed")))
    window = draw(pick(WINDOWS))
    if name == "missed":
        schedule = draw(pick(tuple(SCHEDULES)))
        return f"missed({schedule}, {window}) {comparator} {draw(pick(('once', 'twice')))}"
    kind = draw(pick(("body_weight", "body_weight", *OF_KIND)))
    if name in ("count", "age") and draw(st.booleans()):
        kind = CODED
    if name == "count":
        return f"count({kind}, {window}) {comparator} {draw(pick(('once', 'twice')))}"
    if name == "age":
        return f"age({kind}) {comparator} {draw(pick(('hours', 'day', 'moment')))}"
    arguments = kind if name == "last" else f"{kind}, {window}"
    return f"{name}({arguments}) {comparator} {draw(pick(OF_KIND[kind]))}"


@st.composite
def a_condition(draw: st.DrawFn, depth: int = 2) -> str:
    shape = draw(pick(("plain", "plain", "not", "and", "or"))) if depth else "plain"
    if shape == "plain":
        return draw(a_comparison())
    if shape == "not":
        return f"not ({draw(a_condition(depth - 1))})"
    return f"({draw(a_condition(depth - 1))} {shape} {draw(a_condition(depth - 1))})"


@st.composite
def a_rule(draw: st.DrawFn) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "signal": draw(pick(("fluid", "silence"))),
        "severity": "low",
        "when": draw(a_condition()),
        "clear": draw(a_condition()),
        "max_age": draw(st.sampled_from(({"hours": 6}, {"days": 1}, {"days": 3}))),
        "text": TEXT,
        "source": "random",
        "mark": "P",
    }
    if draw(st.booleans()):
        rule["raise"] = {"severity": "high", "when": draw(a_condition())}
    match draw(st.integers(0, 3)):
        case 0:
            rule["held_for"] = draw(st.sampled_from(({"hours": 6}, {"seconds": 30}, {"days": 1})))
        case 1:
            n = draw(st.integers(1, 4))
            rule["k_of_n"] = {"k": draw(st.integers(1, n)), "n": n}
        case _:
            pass
    return rule


@st.composite
def a_version(draw: st.DrawFn, name: str, version: int) -> Programme:
    nudge = draw(pick((0.0, 0.0, 1e-6, -1e-6, 0.5)))

    def limit(value: float, unit: str) -> dict[str, Any]:
        nudged = value + nudge if unit in ("kg", "d") else value
        whole = {"default": nudged, "unit": unit, "low": 0.0, "high": value * 2 + 1}
        return {**whole, "mark": "P", "source": "random", "text": TEXT}

    rules = {f"rule_{i}": draw(a_rule()) for i in range(3) if i == 0 or draw(st.booleans())}
    schedule = dict(SCHEDULES)
    if draw(st.booleans()):
        schedule["morning"] = {"kind": "body_weight", "before": "08:00"}
    return Programme.model_validate(
        {
            "programme": name,
            "version": version,
            "title": TEXT,
            "source": "random",
            "limits": {key: limit(*content) for key, content in LIMITS.items()},
            "schedule": schedule,
            "rules": rules,
        }
    )


@st.composite
def programmes(draw: st.DrawFn) -> list[Programme]:
    made = [draw(a_version("one", 1))]
    if draw(st.booleans()):
        made.append(draw(a_version("one", 2)))
    if draw(st.booleans()):
        made.append(draw(a_version("two", 1)))
    return made


@cache
def times(start_us: int) -> st.SearchStrategy[int]:
    """Hours of a few weeks, some of them a microsecond beside."""
    nudge = pick((0, 0, 0, 1, -1, 30_000_000))
    hours = st.one_of(st.integers(0, 16).map(lambda x: x * 6), st.integers(0, 18 * 24))
    return st.tuples(hours, nudge).map(lambda x: start_us + x[0] * HOUR_US + x[1])


@st.composite
def a_reading(draw: st.DrawFn, taken_at_us: int) -> dict[str, Any]:
    reading: dict[str, Any] = {"taken_at_us": taken_at_us}
    kind = draw(pick(("body_weight",) * 3 + (*OF_KIND, "pulse", CODED, "steps")))
    reading["kind"] = kind
    revision = draw(pick((0, 0, 0, 1, 2)))
    if revision:
        reading["revision"] = revision
    content = draw(st.integers(0, 11))
    if content < 2:
        return {**reading, "void": True} if content == 0 else {**reading, "absent": "error"}
    if kind == CODED:
        return {**reading, "code": draw(pick(("none", "mild")))}
    unit = draw(pick(UNITS_SENT[kind]))
    return {**reading, "value": draw(pick(VALUES_SENT[unit])), "unit": unit}


@st.composite
def an_upload(draw: st.DrawFn, start_us: int) -> Message:
    taken = [draw(times(start_us)) for _ in range(draw(st.integers(1, 4)))]
    late_us = draw(pick((0, 1_000_000, DAY_US, 7 * DAY_US, 7 * DAY_US + 1, 3 * DAY_US)))
    return {
        "schema": 1, "type": "upload", "upload_id": "u", "source": "s",
        "patient_id": draw(pick(PATIENTS)),
        "device_id": draw(pick(DEVICES)),
        "sent_at_us": max(taken), "received_at_us": max(taken) + late_us,
        "readings": [draw(a_reading(t)) for t in taken],
    }  # fmt: skip


@st.composite
def a_copy(draw: st.DrawFn, uploads: Sequence[Message]) -> Message:
    """An upload once more, received at another time, perhaps with another value or revision."""
    upload = draw(st.sampled_from(uploads))
    shift_us = draw(pick((-9 * DAY_US, -7 * DAY_US, 0, 7 * DAY_US, 9 * DAY_US, 20 * DAY_US)))
    readings = [dict(reading) for reading in upload["readings"]]
    for reading in readings:
        if "unit" in reading and draw(st.booleans()):
            reading["value"] = draw(pick(VALUES_SENT[reading["unit"]]))
        if not draw(st.integers(0, 3)):
            reading["revision"] = draw(pick((0, 1, 2)))
    first_us = max(reading["taken_at_us"] for reading in readings)
    return {
        **upload,
        "received_at_us": max(first_us, upload["received_at_us"] + shift_us),
        "readings": readings,
    }


SPELLINGS = {"mm[Hg]": "mmHg", "[lb_av]": "lb", "/min": "bpm"}
"""Other spellings of units that limits have, which people may use for personal ones."""


@cache
def personal_limits(start_us: int, *, or_none: bool) -> st.SearchStrategy[dict[str, Any]]:
    def one(name: str) -> st.SearchStrategy[Any]:
        value, unit = LIMITS.get(name, (1.0, "kg"))
        values = pick((value, value / 2, value + 1, value + 1e-6, 1e9))
        until = st.one_of(st.none(), times(start_us))
        units = pick((unit, unit, SPELLINGS.get(unit, unit), "furlong"))
        fields = {"value": values, "unit": units, "set_by": st.just("nurse"), "until_us": until}
        made: st.SearchStrategy[Any] = st.fixed_dictionaries(fields)
        return st.one_of(st.none(), made) if or_none else made

    names = pick((*LIMITS, "unheard_of"))
    return st.lists(names, min_size=1, max_size=3, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({name: one(name) for name in chosen})
    )


@cache
def personal_schedules(*, or_none: bool) -> st.SearchStrategy[dict[str, Any]]:
    days = st.sampled_from(
        (["mon", "thu"], ["sun"], ["sun", "mon", "sun"], ["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    )
    before = pick(("11:00", "02:30", "18:45", "00:00"))
    fields = {"before": before, "set_by": st.just("nurse")}
    made: st.SearchStrategy[Any] = st.fixed_dictionaries(fields, optional={"on": days})
    one = st.one_of(st.none(), made) if or_none else made
    return st.dictionaries(pick((*SCHEDULES, "unheard_of")), one, min_size=1, max_size=2)


@st.composite
def a_change(draw: st.DrawFn, start_us: int, patient_id: str, names: Sequence[str]) -> Message:
    programme = draw(pick((*names, "unheard_of")))
    version = draw(pick((1, 1, 2)))
    made: dict[str, st.SearchStrategy[Any]] = {
        "enrol": st.fixed_dictionaries(
            {"programme": st.just(programme), "version": st.just(version)},
            optional={
                "limits": personal_limits(start_us, or_none=False),
                "schedule": personal_schedules(or_none=False),
            },
        ),
        "withdraw": st.just({"programme": programme}),
        "limits": st.fixed_dictionaries(
            {"programme": st.just(programme), "limits": personal_limits(start_us, or_none=True)}
        ),
        "schedule": st.fixed_dictionaries(
            {"programme": st.just(programme), "schedule": personal_schedules(or_none=True)}
        ),
        "version": st.just({"programme": programme, "version": version}),
        "pause": st.fixed_dictionaries({"until_us": st.one_of(st.none(), times(start_us))}),
        "resume": st.just({}),
        "admit": st.just({}),
        "discharge": st.just({}),
        "end": st.just({"reason": "finished"}),
    }
    usual = ("enrol", "limits", "schedule", "pause", "resume", "version")
    name = draw(pick((*made, *usual, *usual)))
    return change_message(
        patient_id, draw(times(start_us)), {name: draw(made[name])}, correction=draw(st.booleans())
    )


def change_message(
    patient_id: str, valid_from_us: int, content: Message, *, correction: bool = False
) -> Message:
    what = json.dumps([patient_id, valid_from_us, content, correction], sort_keys=True)
    return {
        "schema": 1,
        "type": "change",
        "change_id": str(uuid5(UUID(int=9), what)),  # the same change twice is one that was sent again
        "patient_id": patient_id,
        "valid_from_us": valid_from_us,
        "correction": correction,
        "change": content,
    }


def registration(patient_id: str, at_us: int) -> Message:
    content = {"origin": "simulated", "organisation_id": str(UUID(int=5))}
    return change_message(patient_id, at_us, {"register": content})


def clock(now_us: int) -> Message:
    return {"schema": 1, "type": "clock", "now_us": now_us}


@st.composite
def logs(draw: st.DrawFn, names: Sequence[str]) -> list[Message]:
    """Registrations and enrolments first, as a rule; then anything in any order, clocks going forward."""
    start_us = draw(pick(STARTS_US))
    log: list[Message] = []
    for patient_id in PATIENTS[: draw(st.integers(1, 2))]:
        log.append(registration(patient_id, start_us))
        for name in names:
            enrolled_us = start_us if draw(st.booleans()) else draw(times(start_us))
            log.append(change_message(patient_id, enrolled_us, {"enrol": {"programme": name, "version": 1}}))
    clocks = sorted(draw(st.lists(times(start_us), max_size=6)))
    rest: list[Message] = [draw(an_upload(start_us)) for _ in range(draw(st.integers(1, 24)))]
    rest += [draw(a_copy(rest)) for _ in range(draw(st.integers(0, 6)))]
    for _ in range(draw(st.integers(0, 5))):
        patient_id = draw(pick(PATIENTS))
        rest.append(draw(a_change(start_us, patient_id, names)))
    rest = list(draw(st.permutations(rest)))
    for now_us, place in zip(clocks, sorted(draw(st.integers(0, len(rest))) for _ in clocks), strict=True):
        rest.insert(min(place + clocks.index(now_us), len(rest)), clock(now_us))
    log += rest
    ticks = iter(sorted(message["now_us"] for message in log if message["type"] == "clock"))
    return [clock(next(ticks)) if message["type"] == "clock" else message for message in log]
