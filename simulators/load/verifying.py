"""Whether all that was sent is stored, and all that had to be found was, and nothing besides: pure.

Done before any figure is printed: how fast something was that lost a reading is of no interest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.load.database import Found, Stored
from simulators.load.homes import Homes, signal_of
from simulators.load.readings import Readings
from simulators.load.schedule import Ints, Planned, What

SHOWN = 5
_NOT_THERE = -1


@dataclass(frozen=True, slots=True)
class Matched:
    """Which stored reading each sent one is. **Shape**: `place` [sent], −1 where there is none.

    `altered`: rows of those sent that are stored with another value; `besides`: stored, but never sent.
    """

    place: NDArray[np.int64]
    altered: NDArray[np.int64]
    besides: int

    @property
    def missing(self) -> NDArray[np.int64]:
        """Rows of those sent that are not stored."""
        return np.flatnonzero(self.place == _NOT_THERE)


def match(sent: Readings, stored: Stored) -> Matched:
    """Pairs what was sent with what is stored, by patient, kind and moment."""
    ours, theirs = _keyed(sent), _keyed(stored)
    order = np.argsort(theirs, order=theirs.dtype.names, kind="stable")
    ordered = theirs[order]
    at = np.searchsorted(ordered, ours)
    inside = np.minimum(at, max(len(ordered) - 1, 0))
    is_there = (at < len(ordered)) & (ordered[inside] == ours) if len(ordered) else np.zeros(len(ours), bool)
    place = np.where(is_there, order[inside] if len(order) else 0, _NOT_THERE).astype(np.int64)
    values = stored.value[place[is_there]]
    altered = np.flatnonzero(is_there)[values != sent.value[is_there]]
    return Matched(place, altered, len(stored) - len(np.unique(place[is_there])))


def _keyed(of: Readings | Stored) -> NDArray[np.void]:
    keys = np.empty(len(of), [("patient", np.int32), ("kind", np.int16), ("taken", np.int64)])
    keys["patient"], keys["kind"], keys["taken"] = of.patient, of.kind, of.taken_at_us
    return keys


def expected(planned: Planned) -> list[int]:
    """Rows of patients whose uploads must have opened an alert."""
    return planned.patient[planned.what == What.ALARMING].tolist()


def wrong_readings(sent: Readings, matched: Matched, homes: Homes, refused: Sequence[str]) -> list[str]:
    """What is wrong with what is stored, a line each; nothing where all is well."""
    wrong = [*refused]
    if len(missing := matched.missing):
        wrong.append(f"{len(missing):,} of {len(sent):,} readings that were sent are not stored:")
        wrong += [f"  {_told(sent, row, homes)}" for row in missing[:SHOWN].tolist()]
    if len(altered := matched.altered):
        wrong.append(f"{len(altered):,} of {len(sent):,} readings are stored with another value:")
        wrong += [f"  {_told(sent, row, homes)}" for row in altered[:SHOWN].tolist()]
    if matched.besides:
        wrong.append(f"{matched.besides:,} readings are stored that nobody sent, or twice.")
    return wrong


def wrong_findings(
    alarmed: Collection[int],
    found: Sequence[Found],
    heard: Collection[int],
    senders: Collection[int],
    homes: Homes,
) -> list[str]:
    """What is wrong with what was found. `heard`: whose alert was announced; `senders`: all who sent.

    Silence and devices are not counted: that nothing came before is true.
    """
    wrong: list[str] = []
    rightly = {one.patient for one in found if one.signal is signal_of(one.patient)}
    if missed := sorted(set(alarmed) - rightly):
        wrong.append(f"{len(missed):,} of {len(alarmed):,} alarming uploads have no finding:")
        wrong += [f"  patient {homes.texts[row]}: none about {signal_of(row)}" for row in missed[:SHOWN]]
    if unheard := sorted(set(alarmed) & rightly - set(heard)):
        wrong.append(f"{len(unheard):,} of {len(alarmed):,} have a finding, but no alert was announced:")
        wrong += [f"  patient {homes.texts[row]}" for row in unheard[:SHOWN]]
    others = set(senders) - set(alarmed)
    besides = [one for one in found if one.patient in others and not one.signal.technical]
    if besides:
        wrong.append(f"{len(besides):,} findings are of patients who sent nothing alarming:")
        wrong += [f"  patient {homes.texts[one.patient]}: {one.rule}" for one in besides[:SHOWN]]
    return wrong


def _told(sent: Readings, row: int, homes: Homes) -> str:
    return (
        f"patient {homes.texts[sent.patient[row]]}, kind {sent.kind[row]}, "
        f"taken_at_us {sent.taken_at_us[row]}, value {sent.value[row]:g}"
    )


def first_of_each(sent: Readings, uploads: int) -> Ints:
    """The row of the first reading of each upload."""
    return np.searchsorted(sent.upload, np.arange(uploads)).astype(np.int64)
