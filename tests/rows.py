"""Readings for tests, as columns, from rows that say only what matters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from models.columns import NO_OFFSET_MIN, Readings
from models.units import UNIT_BY_SPELLING

T0_US = 1_795_332_660_000_000
PATIENT = UUID(int=7, version=4)
ORGANISATION = UUID(int=8, version=4)
UPLOAD = UUID(int=9, version=4)


@dataclass(frozen=True, slots=True)
class Row:
    """One reading; what is left out is that of a plain weight."""

    offset: int
    position: int = 0
    patient_id: UUID = PATIENT
    kind: int = 0
    taken_at_us: int = T0_US
    device: str = "scale-1"
    revision: int = 0
    void: bool = False
    value: float | None = 81.4
    value_received: float | None = 81.4
    unit_received: str | None = "kg"
    code: int | None = None
    code_received: str | None = None
    absent: str | None = None
    text: str | None = None
    group: str | None = None
    source: str = "vendor-a"
    received_at_us: int = T0_US + 1_000_000
    sent_at_us: int = T0_US + 500_000
    utc_offset_min: int | None = None
    too_late: bool = False
    organisation_id: UUID = field(default=ORGANISATION)
    upload_id: UUID = field(default=UPLOAD)


def readings(rows: Sequence[Row], partition: int = 0) -> Readings:
    """The rows as columns, with every text once."""
    texts: dict[str, int] = {}

    def references(chosen: list[str | None]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        found = [-1 if text is None else texts.setdefault(text, len(texts)) for text in chosen]
        return np.array(found, np.int32)

    def ids(chosen: list[UUID]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        return np.frombuffer(b"".join(one.bytes for one in chosen), np.uint8).reshape(-1, 16)

    def floats(chosen: list[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([np.nan if one is None else one for one in chosen], np.float64)

    patients = {patient: row for row, patient in enumerate(dict.fromkeys(row.patient_id for row in rows))}
    columns = {
        "device": references([row.device for row in rows]),
        "unit_received": references([row.unit_received for row in rows]),
        "code_received": references([row.code_received for row in rows]),
        "absent": references([row.absent for row in rows]),
        "text": references([row.text for row in rows]),
        "group": references([row.group for row in rows]),
        "source": references([row.source for row in rows]),
    }
    return Readings(
        partition=partition,
        texts=tuple(texts),
        offset=np.array([row.offset for row in rows], np.int64),
        position=np.array([row.position for row in rows], np.int32),
        patient=np.array([patients[row.patient_id] for row in rows], np.int32),
        patient_id=ids([row.patient_id for row in rows]),
        organisation_id=ids([row.organisation_id for row in rows]),
        upload_id=ids([row.upload_id for row in rows]),
        kind=np.array([row.kind for row in rows], np.int16),
        taken_at_us=np.array([row.taken_at_us for row in rows], np.int64),
        revision=np.array([row.revision for row in rows], np.int32),
        void=np.array([row.void for row in rows], np.bool_),
        value=floats([row.value for row in rows]),
        value_received=floats([row.value_received for row in rows]),
        unit=np.array([UNIT_BY_SPELLING.get(row.unit_received or "", -1) for row in rows], np.int16),
        code=np.array([-1 if row.code is None else row.code for row in rows], np.int16),
        received_at_us=np.array([row.received_at_us for row in rows], np.int64),
        sent_at_us=np.array([row.sent_at_us for row in rows], np.int64),
        utc_offset_min=np.array(
            [NO_OFFSET_MIN if row.utc_offset_min is None else row.utc_offset_min for row in rows], np.int16
        ),
        too_late=np.array([row.too_late for row in rows], np.bool_),
        **columns,
    )
