"""What a refused message says of who sent it, for people who look for the cause. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic_core import from_json

from models.kinds import KIND_BY_NAME
from models.messages import MAX_MESSAGE_BYTES

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Sender:
    """Device and source as the message has them, and the known kind of each reading by its place."""

    device_id: str | None = None
    source: str | None = None
    kinds: Sequence[str | None] = ()


NOBODY = Sender()


def sender_of(raw: bytes) -> Sender:
    """Who sent a message, by what it says.

    >>> sender_of(b'{"device_id": "scale-1", "source": 7, "readings": [{"kind": "steps"}, {"kind": "x"}]}')
    Sender(device_id='scale-1', source=None, kinds=['steps', None])
    >>> sender_of(b"{")
    Sender(device_id=None, source=None, kinds=())
    """
    if len(raw) > MAX_MESSAGE_BYTES:
        return NOBODY
    try:
        message: object = from_json(raw)
    except ValueError:
        return NOBODY
    if not isinstance(message, dict):
        return NOBODY
    said = cast("Mapping[str, Any]", message)
    readings = said.get("readings")
    kinds = [_kind_of(one) for one in cast("list[object]", readings)] if isinstance(readings, list) else ()
    return Sender(_text(said.get("device_id")), _text(said.get("source")), kinds)


def _kind_of(reading: object) -> str | None:
    kind = cast("Mapping[str, Any]", reading).get("kind") if isinstance(reading, dict) else None
    return kind if isinstance(kind, str) and kind in KIND_BY_NAME else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST else None
