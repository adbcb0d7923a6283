"""What somebody looks for in the worklist, as it stands in an address or a saved view; pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from models.db.open_patients import Sought, SoughtOwner, SoughtState
from models.errors import BadInput
from models.findings import Severity, Signal

FILTERS = ("severity", "signal", "programme", "wijk", "owner", "state", "held_back")
MOST_LETTERS = 200
Known = TypeVar("Known", bound=StrEnum)


def read_sought(values: Mapping[str, str]) -> Sought:
    """What an address asks for; what is empty is not asked for. **Raises**: BadInput.

    >>> read_sought({"severity": "high", "wijk": ""})
    Sought(severity=<Severity.HIGH: 'high'>, signal=None, programme=None, wijk=None, owner=None, state=None, \
held_back=False, asleep=False, patients=None)
    """
    return Sought(
        severity=_one_of(Severity, values, "severity"),
        signal=_one_of(Signal, values, "signal"),
        programme=_text(values, "programme"),
        wijk=_text(values, "wijk"),
        owner=_one_of(SoughtOwner, values, "owner"),
        state=_one_of(SoughtState, values, "state"),
        held_back=values.get("held_back") == "true",
    )


def written(sought: Sought) -> dict[str, str]:
    """The same as it stands in an address: only what is asked for.

    >>> written(read_sought({"owner": "mine", "held_back": "true"}))
    {'owner': 'mine', 'held_back': 'true'}
    """
    asked: dict[str, str | None] = {
        "severity": sought.severity,
        "signal": sought.signal,
        "programme": sought.programme,
        "wijk": sought.wijk,
        "owner": sought.owner,
        "state": sought.state,
        "held_back": "true" if sought.held_back else None,
    }
    return {name: str(value) for name, value in asked.items() if value is not None}


def _one_of(known: type[Known], values: Mapping[str, str], name: str) -> Known | None:
    text = values.get(name, "")
    if not text:
        return None
    try:
        return known(text)
    except ValueError:
        raise BadInput(where=name, expected=f"one of {', '.join(known)}", found="another") from None


def _text(values: Mapping[str, str], name: str) -> str | None:
    text = values.get(name, "").strip()
    if len(text) > MOST_LETTERS or "\x00" in text:
        raise BadInput(where=name, expected=f"at most {MOST_LETTERS} letters", found="something else")
    return text or None
