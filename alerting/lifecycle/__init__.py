"""From findings and remarks to alerts: what people get to see, and what happens to it by itself; pure."""

from alerting.lifecycle.book import (
    Book,
    Consequences,
    Joined,
    MayClose,
    by_any_policy,
    closes_by_itself,
    waits,
)
from alerting.lifecycle.following import follow

__all__ = [
    "Book", "Consequences", "Joined", "MayClose", "by_any_policy", "closes_by_itself", "follow", "waits",
]  # fmt: skip
