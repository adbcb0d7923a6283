"""The address that tells what became of an upload: where in the log it stands, sealed; no table, no patient.

It opens for the client that delivered, in the cluster it was written to, and for nobody else.
"""

import base64
import hmac
import struct
from dataclasses import dataclass

from models.db.gate import Fate, Refused

PATH = "/v1/uploads/"
_PLACE = struct.Struct(">HQHH")
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Part:
    """Readings of a message of the log: from the first of them, counted from 0, so many."""

    partition: int
    offset: int
    first: int
    count: int


class Marks:
    """Makes and reads the last part of such addresses, with a key derived from the gate's secret."""

    def __init__(self, secret: bytes, cluster_id: str, topic: str) -> None:
        self._key = hmac.digest(secret, b"thuiswacht.gateway.status", "sha256")
        self._log = f"{cluster_id}\0{topic}\0"

    def address(self, client_id: str, part: Part) -> str:
        """The address (a path) for this client."""
        place = _PLACE.pack(part.partition, part.offset, part.first, part.count)
        sealed = place + self._mac(client_id, place)
        return PATH + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def read(self, client_id: str, mark: str) -> Part | None:
        """What stands behind it; None for one that we did not make for this client."""
        try:
            sealed = base64.b64decode(mark + "=" * (-len(mark) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None
        place = sealed[: _PLACE.size]
        if len(sealed) != _PLACE.size + _MAC_BYTES:
            return None
        if not hmac.compare_digest(self._mac(client_id, place), sealed[_PLACE.size :]):
            return None
        return Part(*_PLACE.unpack(place))

    def _mac(self, client_id: str, place: bytes) -> bytes:
        said = f"{self._log}{client_id}\0".encode() + place
        return hmac.digest(self._key, said, "sha256")[:_MAC_BYTES]


@dataclass(frozen=True, slots=True)
class Became:
    """What became of the readings of a part: so many are stored or were already, and these were refused."""

    stored: int
    refused: tuple[Refused, ...]


def became(part: Part, fate: Fate) -> Became | None:
    """What became of it, by place within what was delivered; None while it waits to be stored."""
    if not fate.is_passed:
        return None
    whole = [one for one in fate.refused if one.position < 0]
    if whole:
        return Became(0, tuple(whole))
    refused = tuple(
        Refused(one.position - part.first, one.reason, one.field, one.expected, one.found)
        for one in fate.refused
        if part.first <= one.position < part.first + part.count
    )
    return Became(part.count - len(refused), refused)
