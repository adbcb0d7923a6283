"""What policies, rosters and the list of teleconsultation are written with."""

import hashlib
import json
import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from models.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US

UNITS_US = {"d": DAY_US, "h": HOUR_US, "min": MINUTE_US, "s": SECOND_US}
"""The largest first."""

LONGEST_US = 90 * DAY_US
_WRITTEN = re.compile(r"(0|[1-9][0-9]{0,4}) (s|min|h|d)")


class Part(BaseModel):
    """A part of a file: its fields, no others, and no change afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Recorded(Part):
    """A file whose content is kept under its version once something went by it."""

    @property
    def content(self) -> str:
        """All of it as JSON, the same for the same content whatever its layout and comments."""
        return canonical(self.model_dump(mode="json", by_alias=True))

    @property
    def hash(self) -> str:
        """The same for the same content."""
        return hash_of(self.content)


def parse_duration(text: object) -> int:
    """A length of time as people write it. **Units**: microseconds.

    >>> parse_duration("5 min")
    300000000
    """
    match = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    us = -1 if match is None else int(match[1]) * UNITS_US[match[2]]
    if not 0 <= us <= LONGEST_US:
        raise PydanticCustomError("duration", 'Input should be a length of time, as "5 min", "4 h", "3 d"')
    return us


def write_duration(us: int) -> str:
    """The same in the largest unit that fits.

    >>> write_duration(5_400_000_000), write_duration(259_200_000_000), write_duration(0)
    ('90 min', '3 d', '0 s')
    """
    unit = next(unit for unit, of in UNITS_US.items() if us % of == 0 and (us or unit == "s"))
    return f"{us // UNITS_US[unit]} {unit}"


Duration = Annotated[int, PlainValidator(parse_duration), PlainSerializer(write_duration)]
"""**Units**: microseconds; written as "5 min"."""


def canonical(content: Any) -> str:
    """JSON with its keys in order, so that equal contents are equal texts."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def hash_of(content: str) -> str:
    """What a content is recognised by."""
    return hashlib.sha256(content.encode()).hexdigest()
