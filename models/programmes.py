"""The programmes that patients can be enrolled in, as far as who enrols has to know them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from models.errors import BadInput
from models.messages import PersonalLimit
from models.units import UNIT_BY_SPELLING

CANARY = "canary"
"""The programme of the canaries (`alerting.watch`): nobody else is in it, and it is offered nowhere."""

MOST_DIGITS = 15
"""Of a number in the log: more are refused there, because nobody can say what was meant."""


@dataclass(frozen=True, slots=True)
class OfferedLimit:
    """A limit that can be set for a patient, within low…high of its unit."""

    unit: str
    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Offered:
    """A programme in a version. `schedules` are the names of what is measured when."""

    programme: str
    version: int
    dutch: str
    english: str
    limits: Mapping[str, OfferedLimit] = field(default_factory=dict[str, OfferedLimit])
    schedules: tuple[str, ...] = ()

    def require_limit(self, name: str, limit: PersonalLimit) -> None:
        """**Raises**: BadInput for a limit that the engine would not follow."""
        offered = self.limit(name)
        where = f"limits.{name}"
        same = UNIT_BY_SPELLING.get(limit.unit, -1) == UNIT_BY_SPELLING.get(offered.unit, -2)
        if limit.unit != offered.unit and not same:
            raise BadInput(where=where, expected=f"a value in {offered.unit}", found=limit.unit)
        if not offered.low <= limit.value <= offered.high:
            expected = f"{offered.low:g} … {offered.high:g} {offered.unit}"
            raise BadInput(where=where, expected=expected, found=f"{limit.value:g}")
        if float(f"{limit.value:.{MOST_DIGITS}g}") != limit.value:
            raise BadInput(where=where, expected=f"at most {MOST_DIGITS} digits", found="more")

    def fits(self, name: str, limit: PersonalLimit) -> bool:
        """Whether the engine would follow it."""
        try:
            self.require_limit(name, limit)
        except BadInput:
            return False
        return True

    def limit(self, name: str) -> OfferedLimit:
        """**Raises**: BadInput for a name that the programme does not have."""
        if name not in self.limits:
            raise BadInput(where="limits", expected=f"one of {_listed(self.limits)}", found=name)
        return self.limits[name]

    def require_schedule(self, name: str) -> None:
        """**Raises**: BadInput for a name that the programme does not have."""
        if name not in self.schedules:
            raise BadInput(where="schedule", expected=f"one of {_listed(self.schedules)}", found=name)


class Catalogue:
    """All of them; of each programme the newest version is the one that people are enrolled in."""

    def __init__(self, offered: Iterable[Offered]) -> None:
        self._offered = {(one.programme, one.version): one for one in offered}

    def __iter__(self) -> Iterator[Offered]:
        return iter(self._offered[key] for key in sorted(self._offered))

    @property
    def names(self) -> list[str]:
        """The programmes there are."""
        return sorted({programme for programme, _ in self._offered})

    def find(self, programme: str, version: int | None = None) -> Offered:
        """A programme in a version, or in its newest. **Raises**: BadInput when it is not there."""
        versions = [known for name, known in self._offered if name == programme]
        if not versions:
            expected = f"one of {_listed(self.names)}"
            if not self._offered:
                expected = "a programme that alerting has loaded (none yet: start `thuiswacht alerting` once)"
            raise BadInput(where="programme", expected=expected, found=programme)
        if version is not None and version not in versions:
            expected = f"version {_listed(map(str, sorted(versions)))} of {programme}"
            raise BadInput(where="version", expected=expected, found=str(version))
        return self._offered[programme, max(versions) if version is None else version]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
