"""From where to where: moments of the log's own clock, or places in its partitions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from alerting.offline.moments import A_TIME, moment_us
from models.errors import BadInput

_PLACES = re.compile(r"([0-9]+)?@([0-9]+)")
OFFSETS = "offsets: @OFFSET of every partition, or PARTITION@OFFSET,PARTITION@OFFSET"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log. `at_us`: where its clock says so; else `offset` of every partition, or `offsets`.

    **Units**: `at_us` in microseconds since 1970 UTC.
    """

    at_us: int | None = None
    offset: int | None = None
    offsets: Mapping[int, int] = field(default_factory=dict[int, int])

    def offset_of(self, partition: int) -> int | None:
        """The offset in a partition, where one is said."""
        return self.offsets.get(partition, self.offset)


def mark_of(text: str | None, where: str) -> Mark:
    """What an option says; nothing at all for None. **Raises**: BadInput.

    >>> mark_of("@120", "--from").offset_of(3)
    120
    >>> mark_of("0@7,1@9", "--from").offset_of(1)
    9
    """
    if text is None:
        return Mark()
    if "@" not in text:
        try:
            return Mark(at_us=moment_us(text, where))
        except BadInput as error:
            raise BadInput(where=where, expected=f"{A_TIME}; or {OFFSETS}", found=text) from error
    found = [_PLACES.fullmatch(part.strip()) for part in text.split(",")]
    if any(one is None for one in found):
        raise BadInput(where=where, expected=OFFSETS, found=text)
    places = [(one.group(1), int(one.group(2))) for one in found if one is not None]
    everywhere = [offset for partition, offset in places if partition is None]
    if everywhere and len(places) > 1:
        raise BadInput(where=where, expected=OFFSETS, found=text)
    named = {int(partition): offset for partition, offset in places if partition is not None}
    return Mark(offset=everywhere[0] if everywhere else None, offsets=named)
