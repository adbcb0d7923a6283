"""Who sends: patients who do not exist, in turn with heart failure and high blood pressure, a device each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from alerting.engine.programme import Programme
from ingest.keys import key_of, partitions_of
from models.errors import RefuseToStart
from models.findings import Signal
from models.messages import SCHEMA, Origin
from simulators.patients.streams import Purpose, stream, uuid_texts, uuids4

CONDITIONS = ("heart_failure", "hypertension")
"""By a patient's row, in turn."""
SIGNALS = (Signal.HEART_RATE, Signal.PRESSURE)
"""What an alarming upload of such a patient is about."""
DEVICES = "devices"
ALARMING_SHARE = 5
"""One patient in so many sends alarming uploads and no others."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Patients by their rows. **Shape**: `patient_id` uint8[n, 16], the others n."""

    seed: int
    patient_id: NDArray[np.uint8]
    texts: Sequence[str]
    devices: Sequence[str]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def ordinary(self) -> int:
        """Rows below this one send what is usual; those from it on are for alarming uploads."""
        return len(self) - len(self) // ALARMING_SHARE

    def keys(self) -> list[bytes]:
        """The keys of their messages."""
        return [key_of(text) for text in self.texts]

    def partitions(self, partitions: int) -> NDArray[np.int32]:
        """Where their messages go."""
        return partitions_of(self.patient_id, partitions)


def homes_of(seed: int, patients: int) -> Homes:
    """The patients of a seed: always the same ones."""
    patient_id = uuids4(stream(seed, Purpose.REGISTER, 1_000_000), patients)
    devices = [f"load-{seed}-{row}" for row in range(patients)]
    return Homes(seed, patient_id, uuid_texts(patient_id), devices)


def signal_of(row: int) -> Signal:
    """What an alarming upload of this patient is about."""
    return SIGNALS[row % len(SIGNALS)]


def registrations(
    homes: Homes,
    rows: Sequence[int],
    programmes: Mapping[str, Programme],
    organisation: UUID,
    valid_from_us: int,
) -> Iterator[tuple[UUID, bytes]]:
    """What the register says of these patients: registered, then enrolled, as messages of the log.

    **Raises**: RefuseToStart when there is no such programme.
    """
    for row in rows:
        register = {"origin": Origin.SIMULATED.value, "organisation_id": str(organisation), "language": "nl"}
        changes = [{"register": register}, *({"enrol": one} for one in enrolments(row, programmes))]
        patient_id = UUID(homes.texts[row])
        for number, change in enumerate(changes):
            content = {
                "schema": SCHEMA,
                "type": "change",
                "change_id": str(uuid5(patient_id, f"load {number}")),
                "patient_id": homes.texts[row],
                "valid_from_us": valid_from_us + number,
                "change": change,
            }
            yield patient_id, json.dumps(content, separators=(",", ":")).encode()


def enrolments(row: int, programmes: Mapping[str, Programme]) -> list[dict[str, str | int]]:
    """The programmes of a patient. **Raises**: RefuseToStart when there is none of that name."""
    name = CONDITIONS[row % len(CONDITIONS)]
    if name not in programmes:
        raise RefuseToStart(
            f"Load is sent by patients in the programmes {' and '.join(CONDITIONS)}, and there is no {name} "
            f"among {', '.join(sorted(programmes)) or 'none'} (THUISWACHT_PROGRAMMES)."
        )
    wanted = [programmes[name], *([programmes[DEVICES]] if DEVICES in programmes else [])]
    return [{"programme": one.programme, "version": one.version} for one in wanted]
