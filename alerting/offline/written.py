"""From columns of a file to columns of numbers, still unjudged; the texts are kept once each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerting.offline import fields
from alerting.offline.fields import Fault, Texts
from alerting.offline.moments import A_TIME
from alerting.offline.patients import Patients
from alerting.offline.refused import Words
from alerting.offline.sources import Batch
from alerting.offline.table import Columns
from ingest.salvage import shown
from ingest.sent import NONE, UNKNOWN
from models.columns import Reason
from models.kinds import KIND_BY_NAME, KINDS
from models.messages import Absent
from models.units import UNIT_BY_SPELLING

ABSENT = tuple(reason.value for reason in Absent)
HIGHEST_REVISION = 2_000_000_000
LONGEST_TEXT = 200

_MISSING = {
    "patient_id": ("the patient", Reason.MISSING_FIELD),
    "kind": ("the kind", Reason.MISSING_FIELD),
    "taken_at": (A_TIME, Reason.MISSING_TIME),
}


class Written(NamedTuple):
    """A batch as numbers, and what is wrong with single fields, the first fault of a row first.

    **Shape**: the texts are numbers of texts, [n].
    """

    rows: Columns
    faults: tuple[Fault, ...]
    kind: NDArray[np.int32]
    unit: NDArray[np.int32]
    code: NDArray[np.int32]


class Vocabulary:
    """The texts of a file, each with its number."""

    def __init__(self, patients: Patients) -> None:
        self.patients = patients
        self.devices = Texts("device_id")
        self._kinds = Texts("kind")
        self._units = Texts("unit")
        self._codes = Texts("code")
        self._absent = Texts("absent")

    def read(self, batch: Batch) -> Written:
        """A batch as numbers."""
        columns = {name: column for name, column in batch.columns.items() if column.null_count < len(column)}
        nothing = np.full(batch.rows, NONE, np.int32)

        def texts(name: str, known: Texts) -> NDArray[np.int32]:
            return known.take(columns[name]) if name in columns else nothing

        faults: list[Fault] = []
        patient = texts("patient_id", self.patients)
        kind, unit, code = texts("kind", self._kinds), texts("unit", self._units), texts("code", self._codes)
        device = self.devices.take(columns["device_id"]) if "device_id" in columns else None
        taken_at_us = _times(columns, "taken_at", faults, batch.rows)
        received_at_us = None
        if "received_at" in columns:
            received_at_us = _times(columns, "received_at", faults, batch.rows)
            received_at_us = np.where(received_at_us == NONE, taken_at_us, received_at_us)
        kinds = _numbers(self._kinds, KIND_BY_NAME_NUMBER)[kind]
        rows = Columns(
            patient=patient,
            taken_at_us=taken_at_us,
            value=_values(columns, faults, batch.rows),
            kind=kinds,
            unit=_numbers(self._units, UNIT_BY_SPELLING)[unit],
            code=self._code_numbers(kinds, code),
            counts=np.ones(batch.rows, np.bool_),
            device=device,
            received_at_us=received_at_us,
            revision=_revisions(columns, faults),
            void=_voids(columns, faults),
            absent=self._absences(columns, faults),
        )
        for name, column in (("taken_at", taken_at_us), ("kind", kind), ("patient_id", patient)):
            expected, reason = _MISSING[name]
            missing = np.flatnonzero(column == NONE).tolist()
            told = {fault.place for fault in faults if fault.column == name}
            faults += [Fault(at, name, expected, "nothing", reason) for at in missing if at not in told]
        faults += self._long_devices(device)
        return Written(rows, tuple(faults), kind, unit, code)

    def words(self, written: Written, places: NDArray[np.int64]) -> Words:
        """The texts of some rows as they stand in the file."""
        columns = (
            (self._kinds, written.kind),
            (self._units, written.unit),
            (self._codes, written.code),
        )
        return Words(
            *(
                [known.all[number] if number >= 0 else None for number in column[places].tolist()]
                for known, column in columns
            )
        )

    def _code_numbers(self, kind: NDArray[np.int16], code: NDArray[np.int32]) -> NDArray[np.int16]:
        """What a code means depends on the kind; few rows have one, and few are different."""
        numbers = np.full(len(code), NONE, np.int16)
        rows = np.flatnonzero(code >= 0)
        if not len(rows):
            return numbers
        pairs, which = np.unique(kind[rows].astype(np.int64) << 32 | code[rows], return_inverse=True)
        found: list[int] = [
            KINDS[pair >> 32].code_numbers.get(self._codes.all[pair & 0xFFFF_FFFF], UNKNOWN)
            if pair >= 0
            else UNKNOWN
            for pair in pairs.tolist()
        ]
        numbers[rows] = np.array(found, np.int16)[which]
        return numbers

    def _absences(self, columns: Mapping[str, Any], faults: list[Fault]) -> NDArray[np.bool_] | None:
        """Which rows say why there is no value."""
        if "absent" not in columns:
            return None
        given = self._absent.take(columns["absent"])
        known = np.array([*(text in ABSENT for text in self._absent.all), True])
        expected = f"one of {', '.join(ABSENT)}"
        faults += [
            Fault(at, "absent", expected, shown(self._absent.all[int(given[at])]), Reason.INVALID_FIELD)
            for at in np.flatnonzero(~known[given]).tolist()
        ]
        return given != NONE

    def _long_devices(self, device: NDArray[np.int32] | None) -> list[Fault]:
        if device is None or max(map(len, self.devices.all), default=0) <= LONGEST_TEXT:
            return []
        long = np.array([*(len(text) > LONGEST_TEXT for text in self.devices.all), False])
        expected = f"at most {LONGEST_TEXT} characters"
        return [
            Fault(at, "device_id", expected, shown(self.devices.all[int(device[at])]), Reason.INVALID_FIELD)
            for at in np.flatnonzero(long[device]).tolist()
        ]


KIND_BY_NAME_NUMBER = {name: kind.number for name, kind in KIND_BY_NAME.items()}


def _numbers(texts: Texts, known: Mapping[str, int]) -> NDArray[np.int16]:
    """The number of what each text means; at the end, where NONE points, none."""
    return np.array([*(known.get(text, UNKNOWN) for text in texts.all), NONE], np.int16)


def _times(columns: Mapping[str, Any], name: str, faults: list[Fault], count: int) -> NDArray[np.int64]:
    if name not in columns:
        return np.full(count, NONE, np.int64)
    parsed = fields.times(columns[name], name)
    faults += parsed.faults
    return parsed.values


def _values(columns: Mapping[str, Any], faults: list[Fault], count: int) -> NDArray[np.float64]:
    if "value" not in columns:
        return np.full(count, np.nan)
    parsed = fields.numbers(columns["value"], "value")
    faults += parsed.faults
    return parsed.values


def _revisions(columns: Mapping[str, Any], faults: list[Fault]) -> NDArray[np.int32] | None:
    if "revision" not in columns:
        return None
    parsed = fields.wholes(columns["revision"], "revision", HIGHEST_REVISION)
    faults += parsed.faults
    return parsed.values


def _voids(columns: Mapping[str, Any], faults: list[Fault]) -> NDArray[np.bool_] | None:
    if "void" not in columns:
        return None
    parsed = fields.flags(columns["void"], "void")
    faults += parsed.faults
    return parsed.values
