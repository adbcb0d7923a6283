"""What is refused is counted, by client and reason, and logged: not each one, for an attacker sends many."""

from enum import StrEnum

from models import logs
from models.clock import SECOND_US
from models.metrics import GATEWAY_REFUSED

log = logs.get(__name__)

_EVERY_US = 10 * SECOND_US
NOBODY = "-"
"""Who is not known; what was shown is not kept."""


class Why(StrEnum):
    """Why somebody is not let in."""

    UNKNOWN = "unknown"
    """Nothing that counts was shown: no token, signature or certificate, or one that has ended."""
    SIGNATURE = "signature"
    NOT_ALLOWED = "not_allowed"
    RATE = "rate"
    """More requests a second than this client may send."""
    TOO_MANY = "too_many"
    """More at once than may wait."""
    FULL = "full"
    """All clients together send more than is taken."""


class Refusals:
    """Counts, and says the first of each kind and how many there were since, every ten seconds at most."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, Why], tuple[int, int]] = {}

    def count(self, client_id: str | None, why: Why, how: str, now_us: int) -> None:
        """One more. **Units**: microseconds since 1970 UTC."""
        client = client_id or NOBODY
        GATEWAY_REFUSED.labels(client, why.value).inc()
        said_us, since = self._said.get((client, why), (0, 0))
        if now_us - said_us < _EVERY_US:
            self._said[client, why] = (said_us, since + 1)
            return
        self._said[client, why] = (now_us, 0)
        log.warning("refused", client=client, why=why.value, how=how, before=since)

    def forgot(self, client_id: str) -> None:
        """A signed request could not be remembered."""
        log.warning("not_remembered", client=client_id)
