"""How readings get from home to the log: at once, once a day, now and then; late, twice, or in pieces."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.labels import Label
from simulators.devices.display import Homes
from simulators.devices.outages import Outage, Outages
from simulators.devices.trouble import Rates
from simulators.devices.uploads import Lines, Uploads, joined_lines, joined_uploads
from simulators.patients.measurements import WORN, Device
from simulators.patients.population import Ints, Population
from simulators.patients.streams import Purpose, stream, uuids4, uuids7

AT_ONCE, DAILY, EVERY_FOURTH_DAY = 0, 1, 4
DAILY_SHARE, FOURTH_DAY_SHARE = 0.15, 0.03
STRANGERS = 8
"""Homes that send without anybody having registered them; their patient numbers follow the population's."""
SYNC_MIN = 1290
DELAYS = ((0.70, 0.05, 12.0), (0.93, 12.0, 120.0), (1.0, 170.0, 280.0))
"""Cumulative share, from and to hours: most late uploads are hours late, a few too late to count."""
SESSIONS = 1024
"""More than in any day: of a sensor that sends each five minutes, and of repeats, counted from 900 on."""


class Delivery:
    """Turns the readings of a day into the uploads that arrive on that day; keeps the others for later."""

    def __init__(
        self, population: Population, homes: Homes, rates: Rates, outages: Sequence[Outage] = ()
    ) -> None:
        self.population = population
        self.rates = rates
        self.outages = Outages(population, homes, rates, outages)
        uniform = stream(population.seed, Purpose.DELIVERY).random(len(population))
        edges = np.cumsum([DAILY_SHARE, FOURTH_DAY_SHARE])
        way = np.searchsorted(edges, uniform, side="right")
        self.every = np.array([DAILY, EVERY_FOURTH_DAY, AT_ONCE])[way]
        self.stranger_id = uuids4(stream(population.seed, Purpose.IDENTITY, 0), STRANGERS)
        self._waiting: list[Lines] = []
        self._pending: list[Uploads] = []

    def deliver(
        self, day: int, midnight_us: int, until_us: int, lines: Lines, told_later: Sequence[Lines] = ()
    ) -> Uploads:
        """What arrives before `until_us`, in order of arrival; `told_later` one by one in the next days."""
        chance = stream(self.population.seed, Purpose.DELIVERY, day)
        worn = np.isin(lines.device, WORN)
        self.outages.begin_day(day, midnight_us, until_us, np.unique(lines.patient[worn]).astype(np.int64))
        fresh = self._packed(lines, worn, day, midnight_us, chance)
        self._pending.append(self._on_the_way(fresh, chance))
        self._pending += [self._told_later(again, midnight_us, chance) for again in told_later]
        pending = self.outages.hold(joined_uploads(self._pending), day)
        here = pending.received_at_us < until_us
        self._pending = [pending.take(np.flatnonzero(~here))]
        rows = np.flatnonzero(here)
        return pending.take(rows[np.argsort(pending.received_at_us[rows], kind="stable")])

    def labels_until(self, end_us: int) -> list[Label]:
        """Outages that began before the end."""
        return self.outages.labels_until(end_us)

    def _packed(
        self,
        lines: Lines,
        worn: NDArray[np.bool_],
        day: int,
        midnight_us: int,
        chance: np.random.Generator,
    ) -> Uploads:
        """Readings packed into uploads; those that wait for a later synchronisation are put aside."""
        every = np.where(worn, AT_ONCE, self.every[lines.patient])
        if self._waiting:
            waiting = self._waiting[0]
            every = np.concatenate([self.every[waiting.patient], every])
            lines = joined_lines([waiting, lines])
        syncs = (every == AT_ONCE) | ((day + lines.patient) % np.maximum(every, 1) == 0)
        self._waiting = [lines.take(~syncs)]
        lines, every = lines.take(syncs), every[syncs]
        together = np.where(every == AT_ONCE, lines.session, 0).astype(np.int64)
        key = (lines.patient.astype(np.int64) * len(Device) + lines.device) * SESSIONS + together
        uploads = _grouped(lines, key, chance)
        direct = (self.every[uploads.patient] == AT_ONCE) | np.isin(uploads.device, WORN)
        last_us = _last_taken(uploads)
        draws = chance.random((len(uploads), 2))
        after_us = last_us + ((5 + 85 * draws[:, 0]) * 1e6).astype(np.int64)
        synced_us = midnight_us + ((SYNC_MIN + 90 * draws[:, 0]) * MINUTE_US).astype(np.int64)
        # A device whose clock is wrong still sends when it has measured: in the morning of its day.
        plausible = (last_us >= midnight_us) & (last_us < midnight_us + DAY_US)
        noon_us = midnight_us + 12 * HOUR_US
        sent_us = np.where(direct, np.where(plausible, after_us, noon_us), synced_us)
        return _sent(uploads, sent_us, draws[:, 1], chance)

    def _on_the_way(self, uploads: Uploads, chance: np.random.Generator) -> Uploads:
        """Some get late, some arrive twice, some in pieces, some from people nobody knows."""
        rates, n = self.rates, len(uploads)
        uniform = chance.random((n, 6))
        delay_us = np.zeros(n, np.int64)
        late = (uniform[:, 0] < rates.late) & ~np.isin(uploads.device, WORN)
        edges, low, high = (np.array(column) for column in zip(*DELAYS, strict=True))
        which = np.searchsorted(edges[:-1], uniform[:, 1], side="right")
        hours = low[which] + (high - low)[which] * uniform[:, 2]
        delay_us[late] = (hours[late] * HOUR_US).astype(np.int64)
        uploads = replace(uploads, received_at_us=uploads.received_at_us + delay_us)
        uploads = _shuffled(uploads, uniform[:, 5] < rates.shuffled)

        twice = np.flatnonzero(uniform[:, 3] < rates.duplicate)
        again_us = ((60 + chance.random(len(twice)) * 172_800) * 1e6).astype(np.int64)
        repeated = uploads.take(twice)
        repeated = replace(repeated, received_at_us=repeated.received_at_us + again_us)

        strange = uploads.take(np.flatnonzero(uniform[:, 4] < rates.unknown_patient))
        stranger = len(self.population) + chance.integers(0, STRANGERS, size=len(strange))
        strange = replace(strange, patient=stranger.astype(np.int32))
        torn = uploads.take(np.flatnonzero(uniform[:, 4] > 1 - rates.broken))
        torn = replace(torn, broken=np.ones(len(torn), np.bool_))
        return joined_uploads([uploads, repeated, strange, torn])

    def _told_later(self, lines: Lines, midnight_us: int, chance: np.random.Generator) -> Uploads:
        """One upload for each reading, an hour to two days after it was measured."""
        uploads = _grouped(lines, np.arange(len(lines)), chance)
        draws = chance.random((len(uploads), 2))
        # Whatever the device's clock said, people tell it by their own.
        taken_us = np.clip(lines.taken_at_us, midnight_us, midnight_us + DAY_US)
        told_us = taken_us + ((1 + 47 * draws[:, 0]) * HOUR_US).astype(np.int64)
        return _sent(uploads, told_us, draws[:, 1], chance)


def _shuffled(uploads: Uploads, which: NDArray[np.bool_]) -> Uploads:
    """The chosen uploads with their readings in the opposite order."""
    if not which.any():
        return uploads
    ends = np.cumsum(uploads.count)
    place = np.arange(int(ends[-1]))
    mirrored = np.repeat(2 * ends - uploads.count - 1, uploads.count) - place
    order = np.where(np.repeat(which, uploads.count), mirrored, place)
    return replace(uploads, lines=uploads.lines.take(order))


def _grouped(lines: Lines, key: NDArray[np.int64], chance: np.random.Generator) -> Uploads:
    if (np.diff(key) < 0).any():
        order = np.argsort(key, kind="stable")
        lines, key = lines.take(order), key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    count = np.diff(first, append=len(key))
    nothing = np.zeros(len(first), np.int64)
    return Uploads(
        patient=lines.patient[first],
        device=lines.device[first],
        upload_id=uuids7(chance, nothing),
        sent_at_us=nothing,
        received_at_us=nothing,
        count=count,
        broken=np.zeros(len(first), np.bool_),
        lines=lines,
    )


def _last_taken(uploads: Uploads) -> Ints:
    if not len(uploads):
        return np.zeros(0, np.int64)
    return np.maximum.reduceat(uploads.lines.taken_at_us, np.cumsum(uploads.count) - uploads.count)


def _sent(
    uploads: Uploads, sent_us: Ints, uniform: NDArray[np.float64], chance: np.random.Generator
) -> Uploads:
    sent_us = sent_us // 1000 * 1000
    received_us = sent_us + ((0.2 + 2.8 * uniform) * 1000).astype(np.int64) * 1000
    return replace(uploads, sent_at_us=sent_us, received_at_us=received_us, upload_id=uuids7(chance, sent_us))
