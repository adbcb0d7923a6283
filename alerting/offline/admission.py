"""From batches of a file to the rows that count: what ingest refuses of the log is refused here as well."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alerting.offline.bad_rows import BadRow, BadRows
from alerting.offline.copies import may_be_crossed
from alerting.offline.fields import Fault
from alerting.offline.patients import Patients
from alerting.offline.refused import Words, as_sent, refuse, refuse_crossed
from alerting.offline.sources import Batch, Source
from alerting.offline.table import Columns, Table, joined
from alerting.offline.written import Vocabulary
from ingest.judge import judge
from ingest.normalise import EARLIEST_RECEIVED_AT_US
from models.units import to_canonical

Places = NDArray[np.int64]


class Admission:
    """Takes in batches in their order; knows all rows then, and has told what does not count.

    Rows received after `until_us` lie beyond the end of the log: they do not count, and are no faults.
    **Units**: microseconds since 1970 UTC.
    """

    def __init__(self, source: Source, patients: Patients, bad: BadRows, until_us: int | None = None) -> None:
        self.patients = patients
        self.bad = bad
        self.beyond = 0
        self._source = source
        self._until_us = until_us
        self._vocabulary = Vocabulary(patients)
        self._table = Table()
        self._read = self._left_out = 0
        self._notices: list[Places] = [np.zeros(0, np.int64)]

    @property
    def devices(self) -> Sequence[str]:
        """The devices that the file names, each at its number."""
        return self._vocabulary.devices.all

    @property
    def read(self) -> int:
        """How many rows were read so far, lines that are none included."""
        return self._read + self._left_out

    def rows(self) -> Columns:
        """All rows, each with the notices of it behind it; to be asked once, at the end."""
        return self._table.rows()

    def numbers(self, places: Places) -> Places:
        """The rows of the file, as people count them, that stand at places among `rows`."""
        before = np.searchsorted(np.concatenate(self._notices), places, side="right")
        return self._source.numbers(places - before)

    def are_notices(self, places: Places) -> NDArray[np.bool_]:
        """Whether it is a notice of the row before it that stands at a place among `rows`."""
        notices = np.concatenate([*self._notices, np.full(1, np.iinfo(np.int64).max)])
        return notices[np.searchsorted(notices, places)] == places

    def take(self, batch: Batch) -> None:
        """Takes in a batch. **Raises**: BadReadings, where the run is to stop."""
        bad = list(batch.malformed)
        self._left_out += len(batch.malformed) - len(batch.meaningless)
        if batch.rows:
            told = self._admit(batch)
            places = np.array([row.row for row in told], np.int64) + self._read
            numbers = self._source.numbers(places).tolist()
            bad += [replace(row, row=number) for row, number in zip(told, numbers, strict=True)]
            self._read += batch.rows
        self.bad.take(sorted(bad, key=lambda row: row.row))
        self.bad.stop_if_asked()

    def _admit(self, batch: Batch) -> list[BadRow]:
        """Adds a batch's rows; gives the bad ones, each with its place in the batch for a number."""
        written = self._vocabulary.read(batch)
        rows = written.rows
        meaningless = np.zeros(batch.rows, np.bool_)
        meaningless[list(batch.meaningless)] = True
        faults = {fault.place: fault for fault in reversed(written.faults) if not meaningless[fault.place]}
        meaningless[[fault.place for fault in written.faults]] = True
        beyond = np.zeros(batch.rows, np.bool_)
        if self._until_us is not None:
            beyond = ~meaningless & (rows.received > self._until_us)
            self.beyond += int(beyond.sum())
        value = to_canonical(rows.value, rows.kind, rows.unit)
        refused = self._refused(rows, value) & ~meaningless & ~beyond
        rows = replace(rows, counts=~(refused | meaningless | beyond))
        bad = [self._told(fault, rows) for fault in faults.values()]
        if self.bad.stop:
            bad += self._crossed(rows, value)
        places = np.flatnonzero(refused)
        if len(places):
            rows, told = self._refuse(rows, places, self._vocabulary.words(written, places))
            bad += told
        self._table.add(rows)
        return bad

    def _refused(self, rows: Columns, value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which rows the log's judge refuses, looked at one by one."""
        refused = judge(as_sent(rows, None), value) != 0
        refused |= rows.received < EARLIEST_RECEIVED_AT_US
        if self.patients.registered is not None:
            refused |= rows.patient >= self.patients.registered
        return refused

    def _crossed(self, rows: Columns, value: NDArray[np.float64]) -> list[BadRow]:
        """Pressures that contradict each other, where they lie together: why wait to the end of the run."""
        suspects = np.flatnonzero(may_be_crossed(rows, np.where(rows.counts, value, np.nan)))
        suspects = suspects[rows.counts[suspects]]
        return refuse_crossed(rows, suspects, self.patients).bad if len(suspects) else []

    def _refuse(self, rows: Columns, places: Places, words: Words) -> tuple[Columns, list[BadRow]]:
        """What is told of refused rows; the rows with the notices of these among them."""
        told = refuse(rows.take(places), None, words, self.patients)
        behind = places[told.notice_places]
        self._notices.append(self._placed + behind + 1 + np.arange(len(behind)))
        return with_notices(rows, behind, told.notices), [
            replace(row, row=int(places[row.row])) for row in told.bad
        ]

    @property
    def _placed(self) -> int:
        return self._read + sum(map(len, self._notices))

    def _told(self, fault: Fault, rows: Columns) -> BadRow:
        patient = int(rows.patient[fault.place])
        text = self.patients.all[patient] if patient >= 0 else ""
        return BadRow(fault.place, fault.column, fault.expected, fault.found, fault.reason, text)


def with_notices(rows: Columns, behind: Places, notices: Columns) -> Columns:
    """Rows with others among them, each behind the one at its place."""
    if not len(notices):
        return rows
    order = np.argsort(np.concatenate([2 * np.arange(len(rows)), 2 * behind + 1]), kind="stable")
    return joined([rows, notices]).take(order)


def admit(source: Source, admission: Admission, progress: Callable[[str, int, int | None], None]) -> None:
    """Takes in a whole file: one thread reads while another looks at what was read before.

    **Raises**: BadReadings, where the run is to stop.
    """
    with ThreadPoolExecutor(1, "admit") as pool:
        before: Future[None] | None = None
        for batch in source.batches():
            if before is not None:
                before.result()
            before = pool.submit(admission.take, batch)
            progress("reading", admission.read, source.rows)
        if before is not None:
            before.result()
