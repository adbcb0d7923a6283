"""A reading told by telephone: an upload for the log, made of what was said.

It goes the same way as a device's and is sound by the same checks; its source says that a person entered it,
and who that was stands beside it (`models/db/corrections.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ingest.rights.corrections import Revision, require_sound
from models.errors import BadInput
from models.kinds import KIND_BY_NAME
from models.messages import SCHEMA

SOURCE = "thuiswacht.telephone"
DEVICE = "telephone"


@dataclass(frozen=True, slots=True)
class Told:
    """What a patient said that was measured at one time. **Units**: microseconds since 1970 UTC.

    `values` by kind, in the unit that is said beside it, else in the kind's own; `codes`: answers by kind.
    """

    taken_at_us: int
    values: Mapping[str, float] = field(default_factory=dict[str, float])
    units: Mapping[str, str] = field(default_factory=dict[str, str])
    codes: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def kinds(self) -> list[str]:
        """What was said."""
        return [*self.values, *self.codes]


def upload_of(
    patient_id: UUID,
    told: Told,
    stored: Mapping[str, Sequence[Revision]],
    upload_id: UUID,
    organisation_id: UUID,
    now_us: int,
) -> bytes:
    """The upload of what was told. `stored`: what there is by telephone of that kind and time already.

    **Raises**: BadInput for nothing, an unknown kind, a reading that is there already, or one that is not
    sound: another unit, an implausible value, a moment to come.
    """
    if not told.kinds:
        raise BadInput(where="values", expected="at least one value or answer", found="none")
    for kind in told.kinds:
        if kind not in KIND_BY_NAME:
            raise BadInput(where="values", expected="one of our kinds", found="another word")
    content = {
        "schema": SCHEMA,
        "type": "upload",
        "upload_id": str(upload_id),
        "patient_id": str(patient_id),
        "device_id": DEVICE,
        "source": SOURCE,
        "sent_at_us": now_us,
        "received_at_us": now_us,
        "readings": [_reading(told, kind, _revision(kind, stored.get(kind, ()))) for kind in told.kinds],
    }
    message = json.dumps(content).encode()
    require_sound(message, patient_id, organisation_id)
    return message


def _revision(kind: str, stored: Sequence[Revision]) -> int:
    """That of a reading that was taken back, and one more; 0 where there is none."""
    if not stored:
        return 0
    highest = max(one.revision for one in stored)
    if not any(one.is_void and one.revision == highest for one in stored):
        raise BadInput(
            where=f"values.{kind}",
            expected="another moment, or a correction of what was entered",
            found="one that was told already",
        )
    return highest + 1


def _reading(told: Told, kind: str, revision: int) -> dict[str, object]:
    reading: dict[str, object] = {"kind": kind, "taken_at_us": told.taken_at_us}
    if kind in told.codes:
        reading["code"] = told.codes[kind]
    else:
        unit = told.units.get(kind) or KIND_BY_NAME[kind].unit or ""
        reading |= {"value": told.values[kind], "unit": unit}
    return reading | ({"revision": revision} if revision else {})
