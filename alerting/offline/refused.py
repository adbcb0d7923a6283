"""Refused rows, told as those of the log are: the same judge, the same words, the same notices."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.offline.bad_rows import BadRow
from alerting.offline.patients import Patients
from alerting.offline.table import Columns
from ingest.decode import Decoded
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from ingest.salvage import WHOLE_MESSAGE, shown
from ingest.sent import NONE, Sent
from models.clock import to_datetime
from models.columns import NO_OFFSET_MIN, Readings, Refusal
from models.kinds import KINDS
from models.units import UNITS

NOBODY = UUID(int=0)
NO_TEXT = -1


class Words(NamedTuple):
    """The texts of rows as they stand in the file, of which the numbers tell only those we know."""

    kind: Sequence[str | None]
    unit: Sequence[str | None]
    code: Sequence[str | None]


class Refused(NamedTuple):
    """What is told of refused rows, and the notices that the engine hears of them.

    **Shape**: `places` and `notice_places` are places among the rows that were given, of the others each.
    """

    places: NDArray[np.int64]
    bad: list[BadRow]
    notice_places: NDArray[np.int64]
    notices: Columns


def words_of(rows: Columns) -> Words:
    """The words of rows that are known to be ours."""
    return Words(
        [KINDS[number].name for number in rows.kind.tolist()],
        [UNITS[number] if number >= 0 else None for number in rows.unit.tolist()],
        [None] * len(rows),
    )


def as_sent(rows: Columns, upload: NDArray[np.int64] | None, words: Words | None = None) -> Sent:
    """Rows as if they had come over the log; rows of one number in `upload` came together, else each alone.

    **Shape**: `upload` counts from 0, in order and without gaps.
    """
    n = len(rows)
    first = places = np.arange(n)
    if upload is not None:
        first = np.flatnonzero(np.diff(upload, prepend=-1))
    nothing = np.full(n, NONE, np.int32)
    absent = nothing if rows.absent is None else np.where(rows.absent, np.int32(0), nothing)
    texts: dict[str | None, int] = {None: NO_TEXT}

    def numbers(column: Sequence[str | None]) -> NDArray[np.int32]:
        return np.array([texts.setdefault(text, len(texts) - 1) for text in column], np.int32)

    kinds, units, codes = (nothing,) * 3 if words is None else map(numbers, words)
    received_at_us = rows.received if first is places else rows.received[first]
    return Sent(
        texts=tuple(text for text in texts if text is not None),
        patients=(),
        upload_offset=first,
        upload_id=np.zeros((len(first), 16), np.uint8),
        upload_device=nothing[first],
        upload_source=nothing[first],
        upload_sent_at_us=received_at_us,
        upload_received_at_us=received_at_us,
        upload_first=first,
        upload=places if upload is None else upload,
        position=(places - (places if upload is None else first[upload])).astype(np.int32),
        kind=rows.kind,
        kind_received=kinds,
        taken_at_us=rows.taken_at_us,
        value=rows.value,
        unit=rows.unit,
        unit_received=units,
        code=rows.code,
        code_sent=codes,
        code_received=nothing,
        absent=absent,
        text=nothing,
        group=nothing,
        void=np.zeros(n, np.bool_) if rows.void is None else rows.void,
        revision=np.zeros(n, np.int32) if rows.revision is None else rows.revision,
        utc_offset_min=np.full(n, NO_OFFSET_MIN, np.int16),
    )


def refuse(rows: Columns, upload: NDArray[np.int64] | None, words: Words, patients: Patients) -> Refused:
    """Which of the rows are refused, and why; those that are sound are left alone.

    `upload` as for `as_sent`. The numbers of bad rows are their places among these.
    """
    column = "taken_at" if rows.received_at_us is None else "received_at"
    sent = as_sent(rows, upload, words)
    first = sent.upload_first
    of_upload: list[int] = rows.patient[first].tolist()
    index = PatientIndex()
    for patient in dict.fromkeys(of_upload):
        if patients.is_known(patient):
            index.add(patients.ids[patient], NOBODY, known_from=-1)
    ids = tuple(str(patients.ids[patient]) for patient in of_upload)
    decoded = Decoded(0, replace(sent, patients=ids), (), (), (), len(rows))
    _, refusals, notices = normalise(decoded, index)
    bad: list[BadRow] = []
    for refusal in refusals:
        whole = refusal.position == WHOLE_MESSAGE
        end = refusal.offset + refusal.readings if whole else refusal.offset + refusal.position + 1
        text = patients.all[int(rows.patient[refusal.offset])]
        first_place = refusal.offset if whole else end - 1
        bad += [_bad_row(refusal, place, text, column) for place in range(first_place, end)]
    places = np.array([row.row for row in bad], np.int64)
    return Refused(places, bad, *_noticed(rows, notices))


def refuse_crossed(rows: Columns, suspects: NDArray[np.int64], patients: Patients) -> Refused:
    """Which of the suspects are pressures that came together and contradict each other.

    Together came what was taken of one patient with one device at one moment and was received at one. The
    places, and those of the notices in order, are among all rows.
    """
    some = rows.take(suspects)
    order = np.lexsort((some.received, some.devices, some.taken_at_us, some.patient))
    suspects, some = suspects[order], some.take(order)
    another = np.zeros(len(some), np.bool_)
    for key in (some.received, some.devices, some.taken_at_us, some.patient):
        another[1:] |= key[1:] != key[:-1]
    told = refuse(some, np.cumsum(another, dtype=np.int64), words_of(some), patients)
    places, behind = suspects[told.places], suspects[told.notice_places]
    bad = [replace(row, row=place) for row, place in zip(told.bad, places.tolist(), strict=True)]
    order = np.argsort(behind, kind="stable")
    return Refused(places, bad, behind[order], told.notices.take(order))


def _noticed(rows: Columns, notices: Readings) -> tuple[NDArray[np.int64], Columns]:
    places = notices.offset + notices.position
    noticed = rows.take(places)
    n = len(places)
    return places, replace(
        noticed,
        taken_at_us=notices.taken_at_us,
        received_at_us=None if noticed.received_at_us is None else notices.taken_at_us,
        value=np.full(n, np.nan),
        kind=notices.kind,
        unit=np.full(n, NONE, np.int16),
        code=notices.code,
        counts=np.ones(n, np.bool_),
        revision=None if noticed.revision is None else np.zeros(n, np.int32),
        void=None if noticed.void is None else np.zeros(n, np.bool_),
        absent=None if noticed.absent is None else np.zeros(n, np.bool_),
    )


def _bad_row(refusal: Refusal, place: int, patient: str, received: str) -> BadRow:
    """A refusal in the words of the file: its columns, its times, its ids."""
    column, expected, found = refusal.field, refusal.expected, refusal.found
    if column.endswith("_us"):
        found = shown(to_datetime(int(found)).isoformat())
        column = received if column == "received_at_us" else "taken_at"
    if column == "patient_id":
        expected, found = "a patient among the registrations", shown(patient)
    expected = expected.replace("received_at_us", "it was received").replace(", text, absent,", " or")
    return BadRow(place, column, expected, found, refusal.reason, patient)
