"""Changes from before a stretch, said at its beginning: from when each of them held."""

import json

from models.changes import PlacedChange
from models.messages import SCHEMA, Change


def restated(placed: PlacedChange) -> tuple[Change, bytes]:
    """The change, and its message, valid from when it held where it stood in the log."""
    change = placed.change.model_copy(update={"valid_from_us": placed.effective_from_us})
    envelope = {
        "schema": SCHEMA,
        "type": "change",
        "change_id": str(change.change_id),
        "patient_id": str(change.patient_id),
        "valid_from_us": change.valid_from_us,
    }
    text = json.dumps(envelope, separators=(",", ":"))
    content = change.change.model_dump_json(by_alias=True, exclude_unset=True)
    return change, f'{text[:-1]},"change":{content}}}'.encode()
