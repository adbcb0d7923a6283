"""What an Observation says beside its time and its values; those of one Bundle mostly say the same. Pure."""

import marshal
from typing import NamedTuple

from ingest.delivery.content import Correction, Named
from ingest.delivery.fhir.codes import Concept
from ingest.delivery.fhir.elements import Element

_OWN = frozenset({"effectiveDateTime", "valueQuantity"})
"""What differs from one Observation to the next, and nothing of a frame is read from."""


class Frame(NamedTuple):
    """What was measured, by which device, of whom, and how it stands to what was sent before."""

    concept: Concept
    about: str
    device_id: str | None
    patient: Named | None
    correction: Correction


Frames = dict[bytes, Frame]
"""Those without a fault, by what they were read from; of one Bundle, where references mean what is in it."""


def key_of(resource: Element) -> bytes | None:
    """Equal only where all that a frame is read from is equal; None where that cannot be told.

    By type as well: `1`, `1.0` and `true` are one key of a dict and three values of JSON.
    """
    try:
        # The second format writes each value out; later ones refer back, by what happens to be one object.
        return marshal.dumps({name: value for name, value in resource.items() if name not in _OWN}, 2)
    except ValueError:
        return None
