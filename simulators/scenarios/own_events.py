"""Events that a scenario plants in patients of its choice: those that are known by name, and its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from models.clock import to_us
from models.labels import About
from simulators.patients.calendar import HOME
from simulators.patients.condition import Effect, Event, Phase, Range, State
from simulators.patients.parameters import CONDITIONS
from simulators.patients.population import Ints, Population
from simulators.patients.streams import Purpose, stream
from simulators.scenarios.description import PlantedEvent

KNOWN = {event.name: event for condition in CONDITIONS for event in condition.events}


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event that begins at one moment in some patients. **Units**: microseconds since 1970."""

    event: Event
    onset_us: int
    rows: Ints

    @property
    def onsets_us(self) -> list[int]:
        """The moment, once for each patient."""
        return [self.onset_us] * len(self.rows)


class OwnEvents:
    """What is planted, and on which day."""

    def __init__(self, said: Sequence[PlantedEvent], population: Population, start: date) -> None:
        self._due: dict[int, list[OwnEvent]] = {}
        self.abouts: dict[str, About] = {}
        for number, one in enumerate(said):
            begins = datetime.combine(start + timedelta(days=one.day), one.at, HOME)
            rows = _patients(one, number, population)
            self._due.setdefault(one.day, []).append(OwnEvent(event_of(one), to_us(begins), rows))
            if one.effect:
                self.abouts[one.kind] = one.about

    def on(self, day: int) -> Iterator[OwnEvent]:
        """Those that begin on a day."""
        return iter(self._due.get(day, ()))


def event_of(said: PlantedEvent) -> Event:
    """The machine of an event: as it is known, or up, staying there, in hospital perhaps, and down again."""
    if not said.effect:
        return KNOWN[said.kind]
    phases = {
        State.DETERIORATING: Phase(
            days=Range(*said.rise_days),
            hold_days=Range(*said.hold_days),
            then={State.RECOVERING if said.admitted_days is None else State.ADMITTED: 1.0},
        ),
        State.RECOVERING: Phase(days=Range(*said.fall_days), then={State.STABLE: 1.0}),
    }
    if said.admitted_days is not None:
        phases[State.ADMITTED] = Phase(days=Range(*said.admitted_days), then={State.RECOVERING: 1.0})
    return Event(
        name=said.kind,
        share=1.0,
        phases=phases,
        effect=Effect(**{channel: Range(*value) for channel, value in said.effect.items()}),
        signals=tuple(signal.value for signal in said.signals),
        early=said.early,
    )


def _patients(said: PlantedEvent, number: int, population: Population) -> Ints:
    n = len(population)
    if said.patients is not None:
        return np.array([row for row in said.patients if row < n], np.int64)
    uniform = stream(population.seed, Purpose.OWN_EVENTS, number).random(n)
    chosen = uniform < said.share
    if said.condition is not None:
        names = [condition.name for condition in CONDITIONS]
        chosen &= population.conditions[:, names.index(said.condition)]
    return np.flatnonzero(chosen)
