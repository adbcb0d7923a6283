"""Random logs: registrations, enrolments, limits, schedules, pauses, clocks, and uploads in any order."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from alerting.engine.expressions import Comparison, Feature, comparisons
from alerting.engine.programme import Programme
from tests.naive.changes import Message
from tests.naive.random_programmes import CODED, LIMITS, SCHEDULES, pick
from tests.naive.random_readings import (
    ANY_KIND,
    DAY_US,
    DOUBTS,
    HOUR_US,
    MINUTE_US,
    UNITS_SENT,
    a_burst,
    a_copy,
    a_doubt,
    an_upload,
    long_series,
    rounds,
    times,
)
from tests.naive.windows import is_dense

__all__ = ["DAY_US", "HOUR_US", "PATIENTS", "change_message", "clock", "logs", "registration"]

STARTS_US = (
    1_774_396_800_000_000,  # 2026-03-25 00:00 UTC: four days before the clock goes forward
    1_792_627_200_000_000,  # 2026-10-22 00:00 UTC: three days before it goes back
    1_780_272_000_000_000,  # 2026-06-01 00:00 UTC
)
PATIENTS = tuple(str(UUID(int=i)) for i in (1, 2))

SPELLINGS = {"mm[Hg]": "mmHg", "[lb_av]": "lb", "/min": "bpm"}
"""Other spellings of units that limits have, which people may use for personal ones."""


@cache
def personal_limit(start_us: int, name: str) -> st.SearchStrategy[dict[str, Any]]:
    value, unit = LIMITS.get(name, (1.0, "kg"))
    fields: dict[str, st.SearchStrategy[Any]] = {
        "value": pick((value, value / 2, value + 1, value + 1e-6, 1e9)),
        "unit": pick((unit, unit, unit, SPELLINGS.get(unit, unit), "furlong")),
        "set_by": st.just("nurse"),
        "until_us": st.one_of(st.none(), times(start_us)),
    }
    return st.fixed_dictionaries(fields)


@st.composite
def personal_limits(
    draw: st.DrawFn, start_us: int, names: tuple[str, ...], *, or_none: bool
) -> dict[str, Any]:
    """For one to three of some names; none takes a limit back."""
    chosen = draw(st.lists(pick((*names, "unheard_of")), min_size=1, max_size=3, unique=True))
    none = or_none and draw(st.booleans())
    return {name: None if none else draw(personal_limit(start_us, name)) for name in chosen}


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


USUAL = ("enrol", "limits", "schedule", "pause", "resume", "version")
CHANGES = (*USUAL, *USUAL, *USUAL, "limits", "withdraw", "admit", "discharge", "end")


@st.composite
def a_change(draw: st.DrawFn, start_us: int, patient_id: str, made: Sequence[Programme]) -> Message:
    name = draw(pick(CHANGES))
    content = draw(content_of(name, start_us, made))
    return change_message(patient_id, draw(times(start_us)), {name: content}, correction=draw(st.booleans()))


@st.composite
def content_of(draw: st.DrawFn, name: str, start_us: int, made: Sequence[Programme]) -> dict[str, Any]:
    if name in ("resume", "admit", "discharge"):
        return {}
    if name == "end":
        return {"reason": "finished"}
    if name == "pause":
        return {"until_us": draw(st.one_of(st.none(), times(start_us)))}
    content: dict[str, Any] = {"programme": draw(pick((*sorted({p.programme for p in made}), "unheard_of")))}
    if name in ("enrol", "version"):
        content["version"] = draw(pick((1, 1, 2)))
    if name == "limits" or (name == "enrol" and draw(st.booleans())):
        limits = personal_limits(start_us, tuple(limits_of(made)), or_none=name == "limits")
        content["limits"] = draw(limits)
    if name == "schedule" or (name == "enrol" and draw(st.booleans())):
        content["schedule"] = draw(personal_schedules(or_none=name == "schedule"))
    return content


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


def compared(made: Sequence[Programme]) -> Iterator[Comparison]:
    for programme in made:
        for rule in programme.rules.values():
            for _, condition in rule.conditions():
                yield from comparisons(condition)


def features_of(made: Sequence[Programme]) -> list[Feature]:
    return list({str(comparison.feature): comparison.feature for comparison in compared(made)}.values())


def limits_of(made: Sequence[Programme]) -> list[str]:
    """The limits that any rule uses."""
    found = (
        name for comparison in compared(made) for name in (comparison.limit, *comparison.feature.limits())
    )
    return sorted(set(found))


OF_DAYS = ("ewma", "cusum", "macd", "baseline", "spread", "deviation", "relative")


@st.composite
def telling(draw: st.DrawFn, feature: Feature, start_us: int, patient_id: str) -> list[Message]:
    """Readings of which a feature is probably known."""
    if feature.name.startswith("news2"):
        return draw(rounds(start_us, patient_id))
    if feature.name in OF_DAYS or feature.window_us > 9 * DAY_US:
        kind = feature.subject if feature.subject != CODED else "body_weight"
        return draw(long_series(start_us, patient_id, kind))
    if is_dense([feature.subject]):
        return draw(a_burst(start_us, patient_id, feature.subject))
    kinds = (feature.subject,)
    return [draw(an_upload(start_us, (patient_id,), kinds)) for _ in range(draw(st.integers(1, 5)))]


@st.composite
def enrolled(draw: st.DrawFn, start_us: int, made: Sequence[Programme], patient_id: str) -> list[Message]:
    """A registration and enrolments: at the start, long before it, or later."""
    log = [registration(patient_id, start_us)]
    for name in sorted({programme.programme for programme in made}):
        at_us = start_us - draw(pick((0, 300, 300, 30, 12))) * DAY_US
        if draw(pick((False, False, False, True))):
            at_us = draw(times(start_us))
        log.append(change_message(patient_id, at_us, {"enrol": {"programme": name, "version": 1}}))
    return log


@st.composite
def uploads(
    draw: st.DrawFn, start_us: int, made: Sequence[Programme], patients: tuple[str, ...]
) -> tuple[list[Message], list[Message]]:
    """What comes in its order, and what comes in any order."""
    features = features_of(made)
    named = tuple({f.subject for f in features if f.subject in UNITS_SENT or f.subject == CODED})
    kinds = (*sorted(named), *sorted(named), *ANY_KIND)
    rest = [draw(an_upload(start_us, patients, kinds)) for _ in range(draw(st.integers(0, 8)))]
    in_order: list[Message] = []
    for feature in features[:6]:
        if feature.name == "missed" or draw(pick((False, False, False, True))):
            continue
        part = draw(telling(feature, start_us, draw(pick(patients))))
        if draw(pick((False, False, True))):
            rest += part
        else:
            in_order += part
    every = [*rest, *in_order]
    if every:
        rest += [draw(a_copy(every)) for _ in range(draw(st.integers(0, 4)))]
    return in_order, rest


@st.composite
def logs(draw: st.DrawFn, made: Sequence[Programme]) -> list[Message]:
    """Registrations and enrolments first; then anything in any order, clocks going forward."""
    start_us = draw(pick(STARTS_US))
    patients = PATIENTS[: draw(pick((1, 1, 1, 2)))]
    log = [message for patient_id in patients for message in draw(enrolled(start_us, made, patient_id))]
    in_order, rest = draw(uploads(start_us, made, patients))
    for _ in range(draw(st.integers(0, 4))):
        rest.append(draw(a_change(start_us, draw(pick(patients)), made)))
    rest = list(draw(st.permutations(rest)))
    at = draw(st.integers(0, len(rest)))
    rest[at:at] = in_order
    clocks = sorted(draw(st.lists(times(start_us), max_size=5)))
    for now_us, place in zip(clocks, sorted(draw(st.integers(0, len(rest))) for _ in clocks), strict=True):
        rest.insert(min(place + clocks.index(now_us), len(rest)), clock(now_us))
    named = {feature.subject for feature in features_of(made)} & set(DOUBTS)
    if draw(pick((True, True, True, False) if named else (True, False, False))):
        kinds = tuple(sorted(named)) or tuple(DOUBTS)
        rest += draw(an_end(newest([*log, *rest]), draw(pick(patients)), draw(pick(kinds))))
    return forward([*log, *rest])


@st.composite
def an_end(draw: st.DrawFn, newest_us: int, patient_id: str, kind: str) -> list[Message]:
    """A value in doubt, and perhaps a clock before, at, or after the end of the wait for its repeat."""
    doubt = list(draw(st.permutations(draw(a_doubt(newest_us, patient_id, kind)))))
    minutes = draw(pick((None, None, 0, 1, 30, 240, 1_440)))
    if minutes is None:
        return doubt
    return [*doubt, clock(newest(doubt) + minutes * MINUTE_US - draw(pick((0, 1))))]


def newest(log: Sequence[Message]) -> int:
    """The latest moment of which a log speaks."""
    readings = [r["taken_at_us"] for message in log for r in message.get("readings", ())]
    return max(
        [*readings, *(message["now_us"] for message in log if message["type"] == "clock"), STARTS_US[0]]
    )


def forward(log: Sequence[Message]) -> list[Message]:
    """The same with its clocks in order."""
    ticks = iter(sorted(message["now_us"] for message in log if message["type"] == "clock"))
    return [clock(next(ticks)) if message["type"] == "clock" else message for message in log]
