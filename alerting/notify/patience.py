"""How long each channel's endpoints are waited for, how often they are tried, and how much at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from models.escalations import Channel


@dataclass(frozen=True, slots=True)
class Patience:
    """With one channel's endpoints. **Units**: microseconds, but for `timeout_s` in seconds.

    `first_us` is waited after the first failure, twice that after the second, up to `longest_us`.
    `before_next_us`: so long it is tried while another channel could follow; `alone_us`: when none could.
    `timeout_s`: so long one attempt may take. `at_once`: so many at a time to one endpoint.
    """

    first_us: int
    longest_us: int
    before_next_us: int
    alone_us: int
    timeout_s: float
    at_once: int

    def wait_us(self, failures: int, jitter: float) -> int:
        """How long to wait after so many failures: doubled each time, half of it by chance.

        **Units**: microseconds; `jitter` in [0, 1).
        """
        whole = min(self.longest_us, self.first_us << min(max(failures - 1, 0), 40))
        return whole // 2 + int(whole // 2 * jitter)


# Alone, an endpoint may be down over a weekend: late is better than never, and the ladder went on long ago.
_SYSTEM = Patience(5 * SECOND_US, 15 * MINUTE_US, 30 * MINUTE_US, 3 * DAY_US, timeout_s=15.0, at_once=2)
# A mail server that defers a message (greylisting) wants it again after minutes.
_MAIL = Patience(MINUTE_US, 30 * MINUTE_US, HOUR_US, 3 * DAY_US, timeout_s=60.0, at_once=2)

_BY_CHANNEL: Mapping[Channel, Patience] = {
    Channel.SECURE_MAIL: _MAIL,
    Channel.EMAIL: _MAIL,
    # One broker for all, our own: it takes much, and answers at once when it answers.
    Channel.KAFKA: Patience(2 * SECOND_US, MINUTE_US, 15 * MINUTE_US, 7 * DAY_US, timeout_s=30.0, at_once=16),
    # One vendor's app has many patients.
    Channel.PATIENT: Patience(10 * SECOND_US, 15 * MINUTE_US, HOUR_US, DAY_US, timeout_s=15.0, at_once=8),
}

UNANSWERED_US = 30 * DAY_US
"""So long after delivery nobody expects that a message is still accepted."""


def patience_of(channel: Channel) -> Patience:
    """With the endpoints of a channel."""
    return _BY_CHANNEL.get(channel, _SYSTEM)
