"""Which versions a shadow runs, and for whom: everybody who is in a programme of that name. Pure."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.programme import Programme
from models.errors import BadInput, RefuseToStart
from models.messages import AnyChange, Enrol, MoveVersion, SetLimits, SetSchedule, Withdraw

GROUP_PREFIX = "thuiswacht.shadow."


@dataclass(frozen=True, slots=True)
class Candidates:
    """Versions that take the place of the programmes of their names, one for each."""

    programmes: tuple[Programme, ...]

    @classmethod
    def of(cls, programmes: Sequence[Programme]) -> "Candidates":
        """**Raises**: BadInput when two of them are of one programme: that is two shadows."""
        names = Counter(one.programme for one in programmes)
        twice = [name for name, number in names.items() if number > 1]
        if twice:
            raise BadInput(
                where="--programme",
                expected="one candidate for each programme (start another shadow for another candidate)",
                found=f"{names[twice[0]]} files of {twice[0]}",
            )
        return cls(tuple(sorted(programmes, key=lambda one: one.programme)))

    @classmethod
    def from_content(cls, content: str) -> "Candidates":
        """From what was recorded. **Raises**: RefuseToStart when this program cannot read it any more."""
        try:
            return cls(tuple(Programme.model_validate(one) for one in json.loads(content)))
        except ValidationError as error:
            raise RefuseToStart(
                "What this shadow runs was written by another version of Thuiswacht, which this one cannot "
                "read: use that one, or `thuiswacht programme forget-shadow`."
            ) from error

    @property
    def content(self) -> str:
        """All of them, as JSON."""
        return json.dumps([one.model_dump(mode="json", by_alias=True) for one in self.programmes])

    @property
    def digest(self) -> str:
        """The same for the same content, whatever the number of the version says."""
        return hashlib.sha256("".join(one.hash for one in self.programmes).encode()).hexdigest()

    @property
    def group(self) -> str:
        """The consumer group of a shadow that is given no other name.

        The version alone would not do: a candidate may have the number of the one in use.
        """
        names = "+".join(f"{one.programme}-{one.version}" for one in self.programmes)
        return f"{GROUP_PREFIX}{names}-{self.digest[:8]}"

    @property
    def versions(self) -> Mapping[str, int]:
        """The version of each programme."""
        return {one.programme: one.version for one in self.programmes}

    def compiled(self) -> CompiledProgrammes:
        """For the engine: nothing but these."""
        return compile_programmes(self.programmes)

    def hear(self, change: AnyChange) -> AnyChange | None:
        """What a shadow follows of a change; None for nothing.

        Whoever is in a programme in any version is in the candidate from the same moment on; who moves
        between versions stays in it. Other programmes are the real group's. Agreed limits and times of
        measuring hold as far as the candidate knows them.
        """
        versions = self.versions
        match change:
            case MoveVersion():
                return None
            case Enrol() if change.programme in versions:
                return change.model_copy(update={"version": versions[change.programme]})
            case Enrol() | Withdraw() | SetLimits() | SetSchedule() if change.programme not in versions:
                return None
            case _:
                return change
