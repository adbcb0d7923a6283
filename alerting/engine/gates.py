"""The quality gate: which readings are asked to be measured again before they are believed.

**Source**: clinical.md, plausible ranges; all of it is our own proposal without authority (P).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MINUTE_US = 60_000_000
FORMER_US = 14 * 24 * 60 * MINUTE_US
"""An older value says little about what is to be expected."""


@dataclass(frozen=True, slots=True)
class Gate:
    """When a value asks for a repeat, compared with the former one, and how long that is waited for.

    **Units**: `jump_share` of the former value, `above` in the kind's canonical unit (None: not asked for).
    """

    wait_us: int
    jump_share: float | None = None
    above: float | None = None


GATES: Mapping[str, Gate] = MappingProxyType(
    {
        # A jump over 10 % asks who stood on the scale.
        "body_weight": Gate(wait_us=4 * 60 * MINUTE_US, jump_share=0.10),
        # 45 mg/dL labelled mmol/L would read as the opposite of what it is.
        "glucose": Gate(wait_us=30 * MINUTE_US, above=33.3),
    }
)
"""By kind, each of a series of its own."""
