"""Who is known in one partition, and from where in the log on."""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ingest.salvage import known_id

Number = TypeVar("Number", np.uint8, np.int64)


class PatientIndex:
    """The patients of one partition, each with a row that never changes while the partition is held.

    **Shape**: `patient_ids` and `organisation_ids` are uint8[rows, 16], `known_from` (the offset of the
    registration) int64[rows].
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._changes: set[bytes] = set()
        self._destroyed: set[str] = set()
        self.patient_ids: NDArray[np.uint8] = np.zeros((64, 16), np.uint8)
        self.organisation_ids: NDArray[np.uint8] = np.zeros((64, 16), np.uint8)
        self.known_from: NDArray[np.int64] = np.zeros(64, np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, patient_id: UUID, organisation_id: UUID, known_from: int) -> int:
        """Takes in a registration; the row of the patient, the one they had where they were known already."""
        text = str(patient_id)
        row = self._rows.get(text)
        if row is not None:
            return row
        row = self._rows[text] = len(self._rows)
        if row == len(self.known_from):
            self.patient_ids = _doubled(self.patient_ids)
            self.organisation_ids = _doubled(self.organisation_ids)
            self.known_from = _doubled(self.known_from)
        self.patient_ids[row] = np.frombuffer(patient_id.bytes, np.uint8)
        self.organisation_ids[row] = np.frombuffer(organisation_id.bytes, np.uint8)
        self.known_from[row] = known_from
        return row

    def never_again(self, patient_ids: Iterable[UUID]) -> None:
        """Takes in whose records were destroyed; nobody of them is among those known."""
        self._destroyed |= set(map(str, patient_ids))

    def was_destroyed(self, patient_id: UUID | str) -> bool:
        """Whether the record of a patient was destroyed; `patient_id` as a message names it."""
        if not self._destroyed:
            return False
        return str(patient_id) in self._destroyed or known_id(str(patient_id)) in self._destroyed

    def remember_change(self, patient_id: UUID, change_id: UUID) -> None:
        """Takes in that a change holds."""
        self._changes.add(patient_id.bytes + change_id.bytes)

    def has_change(self, patient_id: UUID, change_id: UUID) -> bool:
        """Whether a change of a patient holds already."""
        return patient_id.bytes + change_id.bytes in self._changes

    def row(self, patient_id: UUID) -> int | None:
        """The row of a patient, None where they are not known."""
        return self._rows.get(str(patient_id))

    def row_of(self, text: str) -> int | None:
        """The row of a patient by the canonical spelling of their id."""
        return self._rows.get(text)

    def organisation(self, row: int) -> UUID:
        """Who is responsible for the patient in this row."""
        return UUID(bytes=self.organisation_ids[row].tobytes())

    def rows_at(self, texts: Sequence[str], offsets: NDArray[np.int64]) -> NDArray[np.int32]:
        """The rows of patients as uploads name them, −1 where they were not known at that place in the log.

        **Shape**: `texts` and `offsets` [n] in, rows [n] out.
        """
        found = [self._rows.get(text, -1) for text in texts]
        if -1 in found:
            found = [
                row if row >= 0 else self._rows.get(known_id(text) or "", -1)
                for row, text in zip(found, texts, strict=True)
            ]
        rows = np.array(found, dtype=np.int32)
        return np.where((rows >= 0) & (self.known_from[rows] < offsets), rows, np.int32(-1))


def _doubled(array: NDArray[Number]) -> NDArray[Number]:
    return np.concatenate([array, np.zeros_like(array)])
