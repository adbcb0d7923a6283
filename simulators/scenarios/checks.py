"""What is wrong with a scenario whose fields are right one by one."""

from collections.abc import Iterator

from alerting.yaml_files import Problem
from models.labels import About
from simulators.patients.conditions import CONDITIONS
from simulators.scenarios.description import CONDITION_NAMES, TIMES, Description, PlantedEvent

OWN_FIELDS = ("rise_days", "hold_days", "fall_days", "admitted_days", "early", "signals", "about")
KNOWN_EVENTS = tuple(dict.fromkeys(event.name for condition in CONDITIONS for event in condition.events))


def problems(said: Description) -> list[Problem]:
    """All of them."""
    return [*_who(said), *_people(said), *_trouble(said), *_outages(said), *_events(said)]


def _who(said: Description) -> Iterator[Problem]:
    if said.patients is None and said.region is None:
        yield Problem(("patients",), "patients, or region and its scale", "neither")
    total = sum(said.conditions.values())
    if said.conditions and abs(total - 1) > 1e-6:
        yield Problem(("conditions",), "shares that come to 1", f"{total:g}")
    for pair in said.comorbidity:
        first, plus, second = pair.partition("+")
        if not plus or first == second or not {first, second} <= set(CONDITION_NAMES):
            expected = f'"first+second", each one of {", ".join(CONDITION_NAMES)}'
            yield Problem(("comorbidity", pair), expected, pair)
    if said.region is not None:
        beside = [name for name in ("conditions", "comorbidity") if name in said.model_fields_set]
        for name in beside:
            yield Problem((name,), "no such field beside region, which says who there is", name)


def _people(said: Description) -> Iterator[Problem]:
    habits = said.people.habits
    answering = habits.answers_in_time + habits.answers_late
    if answering > 1:
        expected = "answers_in_time and answers_late that come to 1 at most"
        yield Problem(("people",), expected, f"{answering:g}")


def _trouble(said: Description) -> Iterator[Problem]:
    for name, rate in said.trouble.items():
        if name != TIMES and rate > 1:
            yield Problem(("trouble", name), "a share from 0 to 1", f"{rate:g}")


def _outages(said: Description) -> Iterator[Problem]:
    for number, outage in enumerate(said.outage):
        yield from _within(("outage", str(number), "day"), outage.day, said)


def _events(said: Description) -> Iterator[Problem]:
    abouts: dict[str, About] = {}
    for number, event in enumerate(said.event):
        at = ("event", str(number))
        yield from _within((*at, "day"), event.day, said)
        yield from _event(at, event, said)
        if (about := abouts.setdefault(event.kind, event.about)) is not event.about:
            expected = f"{about}, as for the other events of this kind"
            yield Problem((*at, "about"), expected, event.about)


def _event(at: tuple[str, ...], event: PlantedEvent, said: Description) -> Iterator[Problem]:
    yield from _machine(at, event)
    if event.patients is not None:
        beside = [name for name in ("condition", "share") if name in event.model_fields_set]
        yield from (Problem((*at, name), "no such field beside patients", name) for name in beside)
        if len(set(event.patients)) < len(event.patients):
            yield Problem((*at, "patients"), "each patient once", ", ".join(map(str, event.patients)))
        if said.patients is not None and max(event.patients, default=0) >= said.patients:
            expected = f"patients from 0 to {said.patients - 1}"
            yield Problem((*at, "patients"), expected, str(max(event.patients)))


def _machine(at: tuple[str, ...], event: PlantedEvent) -> Iterator[Problem]:
    if not event.effect and event.kind not in KNOWN_EVENTS:
        expected = f"an effect, or one of the events that are known: {', '.join(KNOWN_EVENTS)}"
        yield Problem((*at, "kind"), expected, event.kind)
    if event.effect and event.kind in KNOWN_EVENTS:
        yield Problem((*at, "kind"), "a name of its own for an event with its own effect", event.kind)
    own = [name for name in OWN_FIELDS if name in event.model_fields_set and not event.effect]
    yield from (Problem((*at, name), "an effect beside it: a known event has its own", name) for name in own)


def _within(path: tuple[str, ...], day: int, said: Description) -> Iterator[Problem]:
    if day >= said.days:
        yield Problem(path, f"a day of the scenario, 0 to {said.days - 1}", str(day))
