"""From which sources readings came, and of how many patients each hour: to notice when one is silent."""

import numpy as np

from models.clock import HOUR_US, MINUTE_US
from models.columns import Readings
from models.sources import HOURS_KEPT, Activity

_MOST_REMEMBERED = 2_000
"""So many pairs of source and hour; beyond, counting begins anew, and what was counted before stands."""


class Activities:
    """Remembers, for one partition, whose readings came from a source in the last two hours of the log."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], set[int]] = {}

    def note(self, readings: Readings, clock_us: int | None) -> list[Activity]:
        """What a batch adds: for each of its sources and hours the patients of that hour so far.

        **Units**: `clock_us`, the clock behind the batch, in microseconds since 1970 UTC: a receipt that is
        ahead of it counts as now, or a gateway with a wrong clock would never be silent.
        """
        if not len(readings):
            return []
        received_us = readings.received_at_us
        if clock_us is not None:
            received_us = np.minimum(received_us, max(clock_us, 0) + MINUTE_US)
        hour, patient = received_us // HOUR_US, readings.patient.astype(np.int64)
        first, patients = int(hour.min()), int(patient.max()) + 1
        hours = int(hour.max()) - first + 1
        of = readings.source.astype(np.int64) * hours + (hour - first)
        groups, where = np.unique(of, return_inverse=True)
        newest = np.full(len(groups), -1, np.int64)
        np.maximum.at(newest, where, received_us)
        everybody = np.unique(of * patients + patient)
        noted: list[Activity] = []
        for group, last_us in zip(groups.tolist(), newest.tolist(), strict=True):
            begin, end = np.searchsorted(everybody, [group * patients, (group + 1) * patients])
            source, at = readings.texts[int(group) // hours], first + int(group) % hours
            seen = self._seen.setdefault((source, at), set())
            seen.update((everybody[begin:end] - group * patients).tolist())
            noted.append(Activity(source, at, len(seen), last_us))
        self._forget(int(hour.max()))
        return _newest_hours(noted)

    def _forget(self, hour: int) -> None:
        self._seen = {key: seen for key, seen in self._seen.items() if key[1] >= hour - 1}
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.clear()


def _newest_hours(noted: list[Activity]) -> list[Activity]:
    """Of each source those hours that have a place of their own in the table."""
    newest: dict[str, int] = {}
    for activity in noted:
        newest[activity.source] = max(newest.get(activity.source, 0), activity.hour)
    return [activity for activity in noted if activity.hour > newest[activity.source] - HOURS_KEPT]
