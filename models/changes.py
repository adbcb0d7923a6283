"""Changes with their place in the log: what the patient tables and the engine are built from."""

from dataclasses import dataclass

from models.messages import Change


@dataclass(frozen=True, slots=True)
class PlacedChange:
    """A change, where it stands in its partition, and from when it holds (see `effective_from_us`)."""

    partition: int
    offset: int
    change: Change
    effective_from_us: int
