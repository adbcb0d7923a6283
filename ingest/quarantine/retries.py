"""Messages of the log that repeat refused ones: how they are marked, and what they do not count for; pure.

The bytes are those of the first time, `received_at_us` among them: what was late, past or future then is so
now, and no value is touched. The mark is a header beside them, naming the message that is repeated.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.decode import Record

HEADER = "thuiswacht-retry-of"


class Place(NamedTuple):
    """Where a message stands in its log."""

    partition: int
    offset: int


def mark_of(place: Place) -> tuple[str, bytes]:
    """The header of a message that repeats the one at a place.

    >>> mark_of(Place(3, 4711))
    ('thuiswacht-retry-of', b'3/4711')
    """
    return HEADER, f"{place.partition}/{place.offset}".encode()


def place_in(headers: Iterable[tuple[str, bytes]]) -> Place | None:
    """Of which message this is a repetition; None where it is none, or says so in no way of ours.

    >>> place_in([("thuiswacht-retry-of", b"3/4711")])
    Place(partition=3, offset=4711)
    >>> place_in([("thuiswacht-retry-of", b"3/-1")]), place_in([])
    (None, None)
    """
    for name, value in headers:
        partition, slash, offset = value.partition(b"/")
        if name == HEADER and slash and partition.isdigit() and offset.isdigit():
            place = Place(int(partition), int(offset))
            return place if place.partition < 2**31 and place.offset < 2**63 else None
    return None


def retries_in(records: Sequence[Record]) -> Mapping[int, Place]:
    """The offsets of those that repeat a refused message, with the place of that."""
    found: dict[int, Place] = {}
    for record in records:
        # Only Kafka's own records have headers.
        headers: Any = getattr(record, "headers", None)
        place = place_in(headers) if headers else None
        if place is not None:
            found[record.offset] = place
    return found


def first_time(offsets: NDArray[np.int64], retries: Mapping[int, Place]) -> NDArray[np.bool_]:
    """Which of these offsets are no repetitions. **Shape**: [n]."""
    if not retries:
        return np.ones(len(offsets), np.bool_)
    return ~np.isin(offsets, np.fromiter(retries, np.int64, len(retries)))
