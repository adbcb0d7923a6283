"""The readings of a patient that count, from the whole log, and their values in a unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from models.kinds import KIND_BY_NAME
from models.units import DIVIDE, MULTIPLY, OFFSET, UNIT_BY_SPELLING
from tests.naive.changes import Message

WEEK_US = 7 * 86_400_000_000
FUTURE_US = 300_000_000


@dataclass(frozen=True)
class Taken:
    """A reading that counts. `value` is None where it was voided or absent, a code's number for an answer."""

    t: int
    device: str
    kind: str
    value: float | None
    unit: str | None

    @property
    def order(self) -> tuple[int, int, int]:
        """Of the same moment: by device, then kind."""
        digest = int.from_bytes(blake2b(self.device.encode(), digest_size=8).digest(), "little")
        return self.t, digest, KIND_BY_NAME[self.kind].number


def counted(log: Sequence[Message], patient_id: str) -> list[Taken]:
    """The readings that count, one for each identity, in order.

    Of the same identity, revision and void, only the first in the log: where it came too late, none counts.
    """
    first: set[tuple[int, str, str, int, bool]] = set()
    best: dict[tuple[int, str, str], tuple[int, bool, Taken]] = {}
    known = False
    for message in log:
        if message.get("patient_id") != patient_id:
            continue
        known = known or (message["type"] == "change" and "register" in message["change"])
        for reading in message.get("readings", ()) if known else ():
            t, kind = reading["taken_at_us"], reading["kind"]
            late_us = message["received_at_us"] - t
            revision, void = reading.get("revision", 0), bool(reading.get("void"))
            this = t, message["device_id"], kind, revision, void
            if late_us < -FUTURE_US or this in first:
                continue
            first.add(this)
            if late_us > WEEK_US:
                continue
            value, unit = reading.get("value"), reading.get("unit")
            if "code" in reading:
                value = float(KIND_BY_NAME[kind].codes.index(reading["code"]))
            key = t, message["device_id"], kind
            taken = Taken(t, message["device_id"], kind, value, unit)
            if key not in best or (revision, void) > best[key][:2]:
                best[key] = revision, void, taken
    return sorted((taken for _, _, taken in best.values()), key=lambda taken: taken.order)


def canonical(taken: Taken) -> float:
    """A value in its kind's own unit; a code's number."""
    assert taken.value is not None
    if taken.unit is None:
        return taken.value
    place = KIND_BY_NAME[taken.kind].number, UNIT_BY_SPELLING[taken.unit]
    return (taken.value - float(OFFSET[place])) * float(MULTIPLY[place]) / float(DIVIDE[place])


def converted(value: float, kind: str, unit: str) -> float:
    """A canonical value of a kind in another unit; codes have none."""
    if KIND_BY_NAME[kind].is_coded:
        return value
    place = KIND_BY_NAME[kind].number, UNIT_BY_SPELLING[unit]
    return value * float(DIVIDE[place]) / float(MULTIPLY[place]) + float(OFFSET[place])


def in_unit(taken: Taken, unit: str) -> float:
    """A value in the unit of a limit: as it arrived where it arrived in that unit."""
    assert taken.value is not None
    if taken.unit is None or UNIT_BY_SPELLING[taken.unit] == UNIT_BY_SPELLING[unit]:
        return taken.value
    return converted(canonical(taken), taken.kind, unit)
