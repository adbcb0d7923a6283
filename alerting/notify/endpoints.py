"""What one sender knows of the endpoints that it sends to: which are busy, which it leaves alone for now.

A slow one takes no more than its share; one that fails is asked by one message at a time, after a wait.
Everything here is forgotten with the process: the messages themselves wait in the outbox.
"""

from collections.abc import Collection
from dataclasses import dataclass

from alerting.notify.channels import Delivered, Later, Receipt
from alerting.notify.patience import patience_of
from models.clock import SECOND_US
from models.db.sending import endpoint_of
from models.escalations import Message


@dataclass(slots=True)
class _Endpoint:
    at_once: int
    running: int = 0
    failures: int = 0
    alone_until_us: int = 0

    @property
    def is_full(self) -> bool:
        return self.running >= (self.at_once if self.failures == 0 else 1)


class Endpoints:
    """Those with something on its way, or in trouble; the others are not kept."""

    def __init__(self) -> None:
        self._known: dict[str, _Endpoint] = {}

    def busy(self, now_us: int) -> Collection[str]:
        """Those to which nothing more goes now. **Units**: microseconds since 1970 UTC."""
        return [name for name, one in self._known.items() if one.is_full or one.alone_until_us > now_us]

    def begin(self, message: Message) -> bool:
        """Something goes there; False when it has to wait, for the endpoint is full."""
        name = endpoint_of(message)
        one = self._known.get(name) or _Endpoint(patience_of(message.channel).at_once)
        if one.is_full:
            return False
        self._known[name] = one
        one.running += 1
        return True

    def end(self, message: Message, receipt: Receipt | None, now_us: int, jitter: float) -> None:
        """It is over, with this receipt (None: nothing was sent). **Units**: `jitter` in [0, 1)."""
        name = endpoint_of(message)
        one = self._known[name]
        one.running -= 1
        match receipt:
            case Delivered():
                one.failures = 0
            case Later(after_s=after_s) if message.to_id is not None:
                one.failures += 1
                wait_us = patience_of(message.channel).wait_us(one.failures, jitter)
                one.alone_until_us = now_us + max(wait_us, int((after_s or 0) * SECOND_US))
            case _:
                # One message that it does not want says nothing of the others.
                pass
        if not one.running and not one.failures:
            del self._known[name]
