"""What came in, each message once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Way = Literal["secure_mail", "email", "webhook"]


@dataclass(frozen=True, slots=True)
class Received:
    """One message as its receiver has it: by which way, under which id, for whom, what it says."""

    way: Way
    message_id: str
    to: str
    text: str
    letter: bytes | None = None


def _nobody(received: Received) -> None:
    """Nobody is told."""


@dataclass(slots=True)
class Inbox:
    """Keeps what came; `tell` hears of each message when it comes for the first time."""

    tell: Callable[[Received], None] = _nobody
    messages: dict[tuple[str, str], Received] = field(default_factory=dict[tuple[str, str], Received])
    copies: int = 0
    refused: int = 0

    def take(self, received: Received) -> None:
        """Another copy of what is there is counted and is nothing new."""
        key = received.way, received.message_id
        if key in self.messages:
            self.copies += 1
            return
        self.messages[key] = received
        self.tell(received)
