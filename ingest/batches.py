"""From what was polled to what is worked on at once."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from ingest.decode import Record

Given = TypeVar("Given", bound=Record)


def awaited(batch: Mapping[int, list[Given]], next_offset: Mapping[int, int]) -> dict[int, list[Given]]:
    """Of what was polled that which we wait for: in use, and not taken before."""
    mine: dict[int, list[Given]] = {}
    for partition, records in batch.items():
        expected = next_offset.get(partition)
        if expected is not None and records[-1].offset >= expected:
            is_whole = records[0].offset >= expected
            mine[partition] = records if is_whole else [one for one in records if one.offset >= expected]
    return mine


def bounded(polled: Mapping[int, list[Given]], max_bytes: int) -> Iterator[dict[int, list[Given]]]:
    """The same records in batches of about so many bytes at most."""
    if sum(len(record.value or b"") for records in polled.values() for record in records) <= max_bytes:
        # As nearly always.
        if polled:
            yield dict(polled)
        return
    batch: dict[int, list[Given]] = {}
    taken = 0
    for partition, records in polled.items():
        start = 0
        for at, record in enumerate(records):
            size = len(record.value or b"")
            if taken and taken + size > max_bytes:
                if start < at:
                    batch[partition] = records[start:at]
                yield batch
                batch, taken, start = {}, 0, at
            taken += size
        batch[partition] = records[start:]
    if batch:
        yield batch
