"""A scenario: patients, their devices and their register put together, day after day, as it arrives."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self
from uuid import UUID

from alerting.engine.programme import Programme
from models.clock import HOUR_US, to_us
from models.labels import Label
from simulators.devices.delivery import AT_ONCE, Delivery
from simulators.devices.display import furnish
from simulators.devices.outages import Outage
from simulators.devices.showing import Showing
from simulators.devices.trouble import Rates
from simulators.devices.uploads import Lines, Uploads, joined_lines
from simulators.devices.worn import Worn
from simulators.patients import region
from simulators.patients.bodies import Bodies
from simulators.patients.calendar import HOME, midnight_us, offset_min
from simulators.patients.conditions import CONDITION_NUMBERS
from simulators.patients.courses import Courses
from simulators.patients.measurers import Measurers
from simulators.patients.parameters import PARAMETERS, varied
from simulators.patients.population import Population, draw_population
from simulators.patients.region import Mix
from simulators.patients.sessions import Sessions
from simulators.patients.streams import Purpose, stream, uuid_texts
from simulators.scenarios.description import Description, OutageAt
from simulators.scenarios.follow_up import FollowUp, PlannedChange
from simulators.scenarios.own_events import OwnEvents
from simulators.scenarios.requests import Requests

AT_HOME = Description(name="home", about="Heart failure and high blood pressure.", patients=100)


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
        said: Description = AT_HOME,
    ) -> None:
        """`organisation`: of which all patients are; left out, of three that come with the seed.

        `said` has all else: what patients have, do and go through. See `of`.
        """
        rates = Rates() if rates is None else rates
        given = {"seed": seed, "patients": patients, "days": days, "start": start}
        given |= {"deteriorations": deteriorations, "trouble": asdict(rates)}
        self.said = said.model_copy(update=given).trimmed()
        self.seed = seed
        self.days = days
        self.start = start
        habits = said.people.habits
        drawn = draw_population(seed, patients, mix_of(said), varied(PARAMETERS, said.vary))
        self.population = wearing(drawn, said.worn)
        self.courses = Courses(self.population, deteriorations)
        self.bodies = Bodies(self.population, self.courses)
        self.measurers = Measurers(self.population, habits, self.begin_us)
        self.sessions = Sessions(self.bodies, self.measurers, habits.late)
        self.own_events = OwnEvents(self.said.event, self.population, start)
        self.follow_up = FollowUp(
            self.population,
            self.courses,
            programmes,
            begin_us=self.begin_us,
            days=days,
            habits=habits,
            registers=registers,
            organisation=organisation,
        )
        self.homes = furnish(self.population, rates)
        self.showing = Showing(self.population, self.homes, rates, start)
        self.worn = Worn(self.population, self.bodies, self.homes, rates)
        outages = [_outage(outage, start) for outage in said.outage]
        self.delivery = Delivery(self.population, self.homes, rates, outages)
        self.requests = Requests(self.population, habits, self.delivery.every == AT_ONCE)
        self.patient_texts = [*self.population.patient_text, *uuid_texts(self.delivery.stranger_id)]

    @classmethod
    def of(
        cls,
        said: Description,
        programmes: Mapping[str, Programme],
        *,
        registers: bool = True,
        organisation: UUID | None = None,
    ) -> Self:
        """The scenario that a file describes."""
        return cls(
            seed=said.seed,
            patients=patients_of(said),
            days=said.days,
            start=said.start,
            programmes=programmes,
            rates=said.rates,
            deteriorations=said.deteriorations,
            registers=registers,
            organisation=organisation,
            said=said,
        )

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
        """What was planted so far: in patients, in devices, in what people do."""
        planted = self.courses.labels_until(self.end_us)
        abouts = self.own_events.abouts
        labels = [replace(label, about=abouts.get(label.kind, label.about)) for label in planted]
        for source in (self.measurers, self.follow_up, self.showing, self.worn, self.delivery):
            labels += source.labels_until(self.end_us)
        return labels

    def day(self, number: int) -> Day:
        """One day; to be asked for in order, each once. Days beyond the last one are for what follows."""
        begin_us, until_us = midnight_us(self.start, number), midnight_us(self.start, number + 1)
        able = self.follow_up.able(begin_us)
        self.follow_up.admit(self.courses.begin_day(number, begin_us, able))
        for own in self.own_events.on(number):
            self.follow_up.admit(self.courses.plant(own.rows.tolist(), own.event, own.onsets_us))
        changes = self.follow_up.begin_day(number, begin_us, until_us)
        self.bodies.next_day(number, begin_us)
        able = self.follow_up.able(begin_us)
        shown = self.showing.show(number, begin_us, self.sessions.measure(number, begin_us, able))
        lines = [
            shown.lines,
            *self._again(number, begin_us, shown.lines),
            *self.worn.lines(number, begin_us, until_us, able, offset_min(self.start, number)),
        ]
        uploads = self.delivery.deliver(number, begin_us, until_us, joined_lines(lines), shown.told_later)
        return Day(number, begin_us, until_us, uploads, changes)

    def _again(self, number: int, midnight_us: int, lines: Lines) -> Iterator[Lines]:
        """What is measured again because the gate asks for it."""
        chance = stream(self.seed, Purpose.REPEATS, number)
        for place, again in enumerate(self.requests.asked(number, midnight_us, lines)):
            measured = self.sessions.repeat(again.kind, again.patient, again.at_us, place, chance)
            repeated = self.showing.again(number, midnight_us, measured)
            self.requests.told(again, repeated)
            yield repeated


def patients_of(said: Description) -> int:
    """How many patients there are: so many, or those of the region that are followed."""
    if said.patients is None and said.region is not None:
        return max(1, region.patients(said.region.scale))
    return said.patients or 1


def mix_of(said: Description) -> Mix:
    """Which conditions patients have."""
    if said.region is not None:
        return region.region_mix()
    pairs = {
        (pair.partition("+")[0], pair.partition("+")[2]): chance for pair, chance in said.comorbidity.items()
    }
    return Mix(said.conditions or region.HOME.shares, pairs)


def wearing(population: Population, share: float) -> Population:
    """The same patients, of whose sensors and wearables by the minute so many are worn."""
    worn = stream(population.seed, Purpose.WORN).random(len(population)) < share
    by_the_minute = population.conditions[:, CONDITION_NUMBERS["hospital_at_home"]]
    return replace(
        population,
        has_sensor=population.has_sensor & worn,
        has_wearable=population.has_wearable & (worn | ~by_the_minute),
    )


def _outage(said: OutageAt, start: date) -> Outage:
    from_us = to_us(datetime.combine(start + timedelta(days=said.day), said.at, HOME))
    return Outage(said.vendor, from_us, from_us + int(said.hours * HOUR_US))
