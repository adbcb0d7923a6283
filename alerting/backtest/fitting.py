"""Whether a file's changes mean something to the versions: what none can follow is a mistake in the file."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from alerting.backtest.together import OfProgramme, Together, programmes_named
from alerting.backtest.versions import Version
from alerting.engine.timeline import Problem, timeline
from alerting.offline.evaluation import History
from alerting.offline.registrations import BadRegistrations, Registrations, Said
from ingest.salvage import shown
from models.errors import BadInput

Problems: TypeAlias = Mapping[tuple[int, str], Problem]
"""What one version cannot follow, by the place of the change and the field in it."""


@dataclass(slots=True)
class Unfit:
    """What versions leave out of the changes, with the number of patients."""

    programmes: Counter[str] = field(default_factory=Counter[str])
    fields: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def lines(self) -> Iterator[str]:
        """It as people read it."""
        for programme, patients in sorted(self.programmes.items()):
            yield f"no version has the programme {programme}: {patients:,} patients are not judged by it"
        for (version, what), patients in sorted(self.fields.items()):
            yield f"{version} does not have or accept {what} of {patients:,} patients: its own holds for them"


def fit(registrations: Registrations, versions: Sequence[Version], *, strict: bool = True) -> Unfit:
    """What of the changes some versions leave out.

    **Raises**: BadRegistrations, where `strict`, for what none of those that have the programme can follow.
    """
    each_alone = [Together([version]) for version in versions]
    known = {each.programme for version in versions for each in version.programmes}
    unfit, errors = Unfit(), dict[tuple[str, str], BadInput]()
    looked_at: dict[tuple[tuple[int, int], ...], Sequence[Problems]] = {}
    for patient_id, said in registrations.changes.items():
        history = registrations.of(patient_id, 1)
        unfit.programmes.update({*programmes_named(change for _, change in history)} - known)
        # Most patients are like others, who were looked at.
        like = tuple((at_us, id(change)) for at_us, change in history)
        if like not in looked_at:
            looked_at[like] = [_problems(history, alone) for alone in each_alone]
        found = looked_at[like]
        for version, problems in zip(versions, found, strict=True):
            unfit.fields.update({(version.name, where) for _, where in problems})
        errors |= {(error.where, error.expected): error for error in _of_all(said, found, each_alone)}
    if errors and strict:
        raise BadRegistrations(list(errors.values()))
    return unfit


def _problems(history: History, alone: Together) -> Problems:
    heard = [(place, each) for place, change in enumerate(history) for each in alone.history([change])]
    problems = timeline([change for _, change in heard], alone.programmes)[1]
    return {(heard[problem.change][0], problem.field): problem for problem in problems}


def _of_all(
    said: Sequence[Said], found: Sequence[Problems], each_alone: Sequence[Together]
) -> Iterator[BadInput]:
    """What every version that has the programme finds wrong."""
    for key, problem in {key: problem for problems in found for key, problem in problems.items()}.items():
        place, where = key
        change = said[place].change
        having = [
            problems
            for problems, alone in zip(found, each_alone, strict=True)
            if isinstance(change, OfProgramme) and alone.has(change.programme)
        ]
        if all(key in problems for problems in having):
            yield BadInput(
                where=f"{said[place].where}, {where}",
                expected=problem.expected,
                found=shown(problem.found),
            )
