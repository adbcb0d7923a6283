"""A scenario: patients, their devices and their register put together, day after day, as it arrives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from alerting.engine.programme import Programme
from models.labels import Label
from simulators.devices.delivery import Delivery
from simulators.devices.display import displayed, furnish
from simulators.devices.trouble import Rates
from simulators.devices.uploads import Uploads
from simulators.patients.bodies import Bodies
from simulators.patients.calendar import midnight_us, offset_min
from simulators.patients.deteriorations import Deteriorations
from simulators.patients.population import draw_population
from simulators.patients.sessions import Sessions
from simulators.patients.streams import uuid_texts
from simulators.scenarios.follow_up import FollowUp, PlannedChange

MAX_PATIENTS = 1_000_000
MAX_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Day:
    """What arrives between two midnights at home: uploads and changes, each in order of arrival."""

    number: int
    midnight_us: int
    until_us: int
    uploads: Uploads
    changes: list[PlannedChange]


class Scenario:
    """The lives of a population and what its devices make of them; the same arguments, the same log.

    Days come one after the other, each computed for all patients at once as columns.
    """

    def __init__(
        self,
        *,
        seed: int,
        patients: int,
        days: int,
        start: date,
        programmes: Mapping[str, Programme],
        rates: Rates | None = None,
        deteriorations: float = 1.0,
        registers: bool = True,
        organisation: UUID | None = None,
    ) -> None:
        """`organisation`: of which all patients are; left out, of three that come with the seed."""
        self.seed = seed
        self.days = days
        self.start = start
        self.population = draw_population(seed, patients)
        self.homes = furnish(self.population)
        self.deteriorations = Deteriorations(self.population, deteriorations)
        self.bodies = Bodies(self.population, self.deteriorations)
        self.sessions = Sessions(self.bodies)
        self.follow_up = FollowUp(
            self.population,
            self.deteriorations,
            programmes,
            begin_us=self.begin_us,
            days=days,
            registers=registers,
            organisation=organisation,
        )
        self.delivery = Delivery(self.population, Rates() if rates is None else rates)
        self.patient_texts = [*self.population.patient_text, *uuid_texts(self.delivery.stranger_id)]

    @property
    def begin_us(self) -> int:
        """The first midnight."""
        return midnight_us(self.start, 0)

    @property
    def end_us(self) -> int:
        """The midnight after the last day."""
        return midnight_us(self.start, self.days)

    def __iter__(self) -> Iterator[Day]:
        return (self.day(number) for number in range(self.days))

    def labels(self) -> list[Label]:
        """The deteriorations planted so far."""
        return self.deteriorations.labels_until(self.end_us)

    def day(self, number: int) -> Day:
        """One day; to be asked for in order, each once. Days beyond the last one are for what follows."""
        begin_us, until_us = midnight_us(self.start, number), midnight_us(self.start, number + 1)
        planted = self.deteriorations.begin_day(number, begin_us, self.follow_up.able(begin_us))
        self.follow_up.admit(planted, number)
        changes = self.follow_up.begin_day(number, begin_us, until_us)
        self.bodies.next_day(number)
        measured = self.sessions.measure(number, begin_us, self.follow_up.able(begin_us))
        shown = displayed(measured, self.homes, offset_min(self.start, number))
        uploads = self.delivery.deliver(number, begin_us, until_us, shown)
        return Day(number, begin_us, until_us, uploads, changes)
