"""Messages of which the front gate knew that readings in them are refused, when it wrote them; pure.

It has told who sent them, and writes them so that they are kept. They say nothing about how this service was
deployed, which is what the guard watches: one client that sends nonsense must not stop a partition.
"""

from collections.abc import Sequence
from typing import Any

from ingest.decode import Record

HEADER = "thuiswacht-foreseen"
MARK = (HEADER, b"1")
"""The header of such a message."""


def foreseen_in(records: Sequence[Record]) -> frozenset[int]:
    """The offsets of those messages."""
    found: list[int] = []
    for record in records:
        # Only Kafka's own records have headers.
        headers: Any = getattr(record, "headers", None)
        if headers and any(name == HEADER for name, _ in headers):
            found.append(record.offset)
    return frozenset(found)
