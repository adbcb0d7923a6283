"""How fast a recording is sent, and under which versions of programmes, as options say it."""

from collections.abc import Mapping, Sequence

from models.errors import BadInput
from simulators.pace import Pace


def pace_of(speed: str, rate: float | None) -> Pace:
    """A pace. **Raises**: BadInput.

    >>> pace_of("max", None)
    Pace(speed=None, rate=None)
    >>> pace_of("60", None).speed
    60.0
    """
    if speed == "max":
        return Pace(None, rate)
    try:
        found = float(speed)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise BadInput(where="--speed", expected="a number above 0, or max", found=speed)
    return Pace(found, rate)


def versions_of(given: Sequence[str]) -> Mapping[str, int]:
    """The versions that PROGRAMME=NUMBER say. **Raises**: BadInput.

    >>> versions_of(["copd=2"])
    {'copd': 2}
    """
    found: dict[str, int] = {}
    for text in given:
        name, _, number = text.partition("=")
        if not name or not number.isdecimal() or int(number) < 1:
            raise BadInput(where="--version", expected="PROGRAMME=NUMBER", found=text)
        found[name] = int(number)
    return found
