"""What patients write, as alerting sees it: that there is a remark, of when; never what it says. Pure."""

from dataclasses import dataclass
from uuid import UUID, uuid5

import numpy as np

from models.columns import Readings
from models.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Remark:
    """A reading that is a text. **Units**: microseconds since 1970 UTC."""

    remark_id: UUID
    kind: str
    taken_at_us: int
    received_at_us: int


def remark_id(patient_id: UUID, kind: str, device_id: str, taken_at_us: int, revision: int) -> UUID:
    """The id of a remark, the same however often and in whatever upload it comes: that of the reading.

    >>> str(remark_id(UUID(int=7), "symptom_cough", "app-1", 1_795_332_660_000_000, 0))
    '24c4f2d9-ca6b-5ad9-9c11-31faaf2972b0'
    """
    return uuid5(patient_id, f"remark/{kind}/{device_id}/{taken_at_us}/{revision}")


def remarks_of(readings: Readings) -> dict[int, list[Remark]]:
    """The remarks among readings by the row of their patient, in the order of the log.

    What came too late to be evaluated is not among them: it is kept and shown, and is news to nobody.
    """
    found: dict[int, list[Remark]] = {}
    for row in np.flatnonzero((readings.text >= 0) & ~readings.void & ~readings.too_late).tolist():
        kind, taken_us = KINDS[int(readings.kind[row])].name, int(readings.taken_at_us[row])
        device = int(readings.device[row])
        key = remark_id(
            UUID(bytes=readings.patient_id[row].tobytes()),
            kind,
            readings.texts[device] if device >= 0 else "",
            taken_us,
            int(readings.revision[row]),
        )
        remark = Remark(key, kind, taken_us, int(readings.received_at_us[row]))
        found.setdefault(int(readings.patient[row]), []).append(remark)
    return found
