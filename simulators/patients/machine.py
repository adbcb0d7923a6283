"""Walking through the machines of events: one pass over the states for all events that begin, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US
from simulators.patients.condition import CHANNELS, Event, Phase, Range, State
from simulators.patients.parameters import Coupling, Factors
from simulators.patients.population import Bools, Floats, Ints, Population, within

STATES = tuple(State)
WEEK_DAYS = 7.0
NOT_THERE = Phase(days=Range(0, 0), then={State.RECOVERING: 1.0})


@dataclass(frozen=True, slots=True)
class Walked:
    """Events with the whole of their way. **Shape**: [k], `effects` [k, channels].

    The severity rises until `turned`, stays until `held`, is treated until `treated`, in hospital until
    `discharged`, recovers until `over`; states that are not entered take no time.

    **Units**: days since the onset; `rise` is what it would have taken to the worst. Severity 1 is the worst.
    """

    event: Ints
    onset_us: Ints
    effects: Floats
    rise: Floats
    early: Floats
    turned: Floats
    held: Floats
    treated: Floats
    discharged: Floats
    over: Floats
    at_turn: Floats
    at_treated: Floats
    at_discharge: Floats
    is_treated: Bools
    is_admitted: Bools

    def take(self, rows: Ints) -> "Walked":
        """The given ones."""
        return Walked(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def joined(self, other: "Walked") -> "Walked":
        """These, then the others."""
        return Walked(
            **{f.name: np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)}
        )

    def at_us(self, days: Floats) -> Ints:
        """The moment so long after each onset."""
        return self.onset_us + (days * DAY_US).astype(np.int64)

    @property
    def over_us(self) -> Ints:
        """When each is over."""
        return self.at_us(self.over)

    @property
    def worst_us(self) -> Ints:
        """When the worst is reached; the first moment of it."""
        return self.at_us(np.where(self.at_treated > self.at_turn, self.treated, self.turned))

    def severity(self, rows: Ints, at_us: Ints) -> Floats:
        """How bad some of them are at moments, 0 to 1. **Shape**: both [m]."""
        x = (at_us - self.onset_us[rows]) / DAY_US
        turned, held, treated = self.turned[rows], self.held[rows], self.treated[rows]
        discharged, over = self.discharged[rows], self.over[rows]
        top, after, left = self.at_turn[rows], self.at_treated[rows], self.at_discharge[rows]
        level = np.where(x < turned, rising(x, self.rise[rows], self.early[rows]), top)
        level = np.where(x < held, level, _between(x, held, treated, top, after))
        level = np.where(x < treated, level, _between(x, treated, discharged, after, left))
        level = np.where(x < discharged, level, _between(x, discharged, over, left, 0.0))
        return np.where((x <= 0) | (x >= over), 0.0, level)

    def state(self, at_us: int) -> NDArray[np.int8]:
        """In which state each is at a moment, as an index into STATES."""
        x = (at_us - self.onset_us) / DAY_US
        edges = np.stack([self.held, self.treated, self.discharged, self.over])
        passed = 1 + (x >= edges).sum(axis=0)
        return np.where((x <= 0) | (passed >= len(STATES)), 0, passed).astype(np.int8)


def rising(x: Floats, rise: Floats, early: Floats) -> Floats:
    """How far a deterioration has come x days after its onset: slowly, then diverging in the last week."""
    before, last, base = parts_of_rise(rise, early)
    slow = base * x / np.where(before > 0, before, 1.0)
    done = (x - before) / last
    return np.where(x < before, slow, base + (1 - base) * done * done)


def parts_of_rise(rise: Floats, early: Floats) -> tuple[Floats, Floats, Floats]:
    """Days of the slow part and of the last one, and how far the slow part comes: less when it is short."""
    last = np.minimum(rise, WEEK_DAYS)
    before = rise - last
    return before, last, early * np.minimum(before / WEEK_DAYS, 1.0)


def walk(
    declared: Sequence[Event],
    events: Ints,
    onset_us: Ints,
    rows: Ints,
    population: Population,
    chance: np.random.Generator,
) -> Walked:
    """Let events begin in patients and follow them to their end. **Shape**: the columns are [k]."""
    draws = chance.random((len(events), 9 + len(CHANNELS)))
    phases = [_Phases.of(declared, state, population.parameters.factors) for state in STATES[1:]]
    worse, treatment, stay, better = phases
    follows = worse.next(events, draws[:, 0])
    is_treated = follows == STATES.index(State.TREATED)
    rise = worse.days(events, draws[:, 1])
    early = np.array([event.early for event in declared])[events]
    turned = np.where(is_treated, treatment.begins(events, draws[:, 2]), 1.0) * rise
    at_turn = np.where(is_treated, rising(turned, rise, early), 1.0)
    held = turned + np.where(is_treated, 0.0, worse.holds(events, draws[:, 3]))
    treated = held + np.where(is_treated, treatment.days(events, draws[:, 4]), 0.0)
    follows = np.where(is_treated, treatment.next(events, draws[:, 5]), follows)
    is_admitted = follows == STATES.index(State.ADMITTED)
    responds = is_treated & ~is_admitted
    at_treated = np.where(responds, at_turn * treatment.to[events], np.where(is_treated, 1.0, at_turn))
    discharged = treated + np.where(is_admitted, stay.days(events, draws[:, 6]), 0.0)
    at_discharge = at_treated * np.where(is_admitted, stay.to[events], 1.0)
    silent = draws[:, 8] < np.array([event.silent for event in declared])[events]
    effects = _effects(declared, events, population, rows, draws[:, 9:])
    return Walked(
        event=events,
        onset_us=onset_us,
        effects=np.where(silent[:, None], 0.0, effects),
        rise=rise,
        early=early,
        turned=turned,
        held=held,
        treated=treated,
        discharged=discharged,
        over=discharged + better.days(events, draws[:, 7]),
        at_turn=at_turn,
        at_treated=at_treated,
        at_discharge=at_discharge,
        is_treated=is_treated,
        is_admitted=is_admitted,
    )


@dataclass(frozen=True, slots=True)
class _Phases:
    """One state of all events. **Shape**: `to` [events], `edges` [events, states]."""

    declared: Sequence[Phase]
    lengths: float
    to: Floats
    edges: Floats

    @classmethod
    def of(cls, events: Sequence[Event], state: State, factors: Factors) -> "_Phases":
        phases = [event.phases.get(state, NOT_THERE) for event in events]
        shares = np.array([[phase.then.get(after, 0.0) for after in STATES] for phase in phases])
        treated = STATES.index(State.TREATED)
        shares[:, treated] = np.minimum(shares[:, treated] * factors.treatment, 1.0)
        others = shares.sum(axis=1) - shares[:, treated]
        left = (1 - shares[:, treated]) / np.where(others > 0, others, 1.0)
        shares *= np.where(np.arange(len(STATES)) == treated, 1.0, left[:, None])
        return cls(
            phases, factors.lengths, np.array([phase.to for phase in phases]), np.cumsum(shares, axis=1)
        )

    def next(self, events: Ints, uniform: Floats) -> Ints:
        """What follows."""
        edges = self.edges[events]
        return np.minimum((edges <= uniform[:, None] * edges[:, -1:]).sum(axis=1), len(STATES) - 1)

    def days(self, events: Ints, uniform: Floats) -> Floats:
        """How long it lasts."""
        return within([phase.days for phase in self.declared], events, uniform) * self.lengths

    def holds(self, events: Ints, uniform: Floats) -> Floats:
        """How long it stays at its worst."""
        return within([phase.hold_days for phase in self.declared], events, uniform) * self.lengths

    def begins(self, events: Ints, uniform: Floats) -> Floats:
        """After which share of the time to the worst it is entered."""
        return within([phase.begins for phase in self.declared], events, uniform)


def _effects(
    declared: Sequence[Event], events: Ints, population: Population, rows: Ints, uniform: Floats
) -> Floats:
    """How far each channel is moved at the worst, with what that moves in turn."""
    effects = np.zeros((len(events), len(CHANNELS)))
    for channel, name in enumerate(CHANNELS):
        ranges: list[Range] = [getattr(event.effect, name) for event in declared]
        amount = within(ranges, events, uniform[:, channel])
        absolute = np.array([given.absolute for given in ranges])[events]
        if absolute.any():
            amount = np.where(absolute, amount - usual(population, name, rows), amount)
        effects[:, channel] = amount
    effects *= population.parameters.factors.effects
    for coupling in population.parameters.couplings:
        _couple(effects, coupling)
    return effects


def usual(population: Population, channel: str, rows: Ints) -> Floats:
    """A patient's own level; 0 for what is a change by itself."""
    level: Floats | None = getattr(population, {"body_weight": "weight"}.get(channel, channel), None)
    return np.zeros(len(rows)) if level is None or channel == "steps" else level[rows]


def _couple(effects: Floats, coupling: Coupling) -> None:
    source = effects[:, CHANNELS.index(coupling.source)]
    one_way = np.maximum(source, 0.0) if coupling.upwards else np.maximum(-source, 0.0)
    effects[:, CHANNELS.index(coupling.target)] += coupling.per * one_way


def _between(x: Floats, begin: Floats, end: Floats, first: Floats, last: Floats | float) -> Floats:
    length = np.where(end > begin, end - begin, 1.0)
    return first + (last - first) * np.clip((x - begin) / length, 0.0, 1.0)
