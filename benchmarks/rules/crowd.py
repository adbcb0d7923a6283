"""Who is followed: patients over the programmes in the shares of a region, and what they measure each day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.engine import Engine
from alerting.engine.programme import Programme
from alerting.engine.programme_files import load_folder
from models.kinds import KIND_BY_NAME
from models.messages import AnyChange, Enrol

SEED = 7
MOST_A_DAY = 10
SECOND_PROGRAMME, THIRD_PROGRAMME = 0.15, 0.03

SHARES: Mapping[str, float] = {
    "heart_failure": 0.20,
    "copd": 0.15,
    "hypertension": 0.30,
    "diabetes": 0.22,
    "hospital_at_home": 0.02,  # the others wear something
    "frail_elderly": 0.11,
}
"""Of a region's patients in their first programme: our own guess."""

SHARES_OF_WEARABLES: Mapping[str, float] = {
    "heart_failure": 0.35,
    "copd": 0.20,
    "diabetes": 0.20,
    "hospital_at_home": 0.25,
}
"""The same among those who wear something: programmes that look at what is measured by the minute."""

EVERYBODY = ("devices",)

PRESSURE = ("systolic", "diastolic", "pulse")
ROUND = (
    "spo2",
    "respiratory_rate",
    "systolic",
    "pulse",
    "temperature",
    "consciousness",
    "supplemental_oxygen",
)
SESSIONS: Mapping[str, Sequence[Sequence[str]]] = {
    "heart_failure": (("body_weight",), PRESSURE, ("symptom_dyspnoea", "symptom_oedema")),
    "copd": (("spo2", "pulse"), ("symptom_dyspnoea", "symptom_sputum", "symptom_purulence"), ("peak_flow",)),
    "hypertension": (PRESSURE, PRESSURE, ("symptom_neurological", "symptom_chest_pain")),
    "diabetes": (("glucose",), ("glucose",), ("glucose",), ("body_weight",)),
    "hospital_at_home": (ROUND, ("symptom_dyspnoea", "battery", "device_state")),
    "frail_elderly": (("steps",), ("body_weight",), ("symptom_dizziness", "symptom_neurological")),
}
"""What is measured together in a programme, in the order in which a day has them."""
OTHER_SESSIONS = (("body_weight",), ("spo2",), PRESSURE)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Patients by row, what they are in, and what they measure.

    **Shape**: `member` is [patients, programmes]; patient p measures lines `starts[p]` to `starts[p + 1]` of
    `kinds` and `sessions` each day.
    """

    compiled: CompiledProgrammes
    programmes: tuple[Programme, ...]
    member: NDArray[np.bool_]
    starts: NDArray[np.int64]
    kinds: NDArray[np.int16]
    sessions: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.member)

    def patient_id(self, row: int) -> UUID:
        """A patient's id: its row, no more."""
        return UUID(int=row + 1)

    def enrol(self, engine: Engine, at_us: int) -> None:
        """Puts everybody into the programmes that they are in. **Raises**: AssertionError for a problem."""
        changes: list[tuple[int, AnyChange]] = [
            (at_us, Enrol(programme=programme.programme, version=programme.version))
            for programme in self.programmes
        ]
        for row, programmes in enumerate(self.member):
            own = [changes[place] for place in np.flatnonzero(programmes)]
            problems = engine.change(row, self.patient_id(row), own)
            if problems:
                raise AssertionError(problems[0])


def newest(programmes: Sequence[Programme]) -> tuple[Programme, ...]:
    """The newest version of each programme, by name."""
    found = {programme.programme: programme for programme in sorted(programmes, key=lambda p: p.version)}
    return tuple(found[name] for name in sorted(found))


def crowd(
    patients: int,
    shares: Mapping[str, float] = SHARES,
    *,
    everybody_in_all: bool = False,
    own: Sequence[Programme] | None = None,
) -> Crowd:
    """So many patients in the shipped programmes, or in others: in shares, or all of them in every one."""
    compiled = compile_programmes(own or load_folder())
    programmes = newest([version.programme for version in compiled.by_number])
    chance = np.random.default_rng(SEED)
    names = [programme.programme for programme in programmes]
    member = _members([shares.get(name, 0.0) for name in names], patients, chance)
    member[:, [name in EVERYBODY for name in names]] = True
    if everybody_in_all:
        member[:] = True
    each_day = 1 + chance.binomial(MOST_A_DAY - 1, 0.5, patients)
    starts, kinds, sessions = _days(names, member, each_day)
    return Crowd(compiled, programmes, member, starts, kinds, sessions)


def _members(shares: Sequence[float], patients: int, chance: np.random.Generator) -> NDArray[np.bool_]:
    """Everybody's first programme, and for some a second and a third."""
    in_all = np.array(shares) / sum(shares)
    member = np.zeros((patients, len(shares)), np.bool_)
    for share in (1.0, SECOND_PROGRAMME, THIRD_PROGRAMME):
        who = np.flatnonzero(chance.random(patients) < share)
        member[who, chance.choice(len(shares), len(who), p=in_all)] = True
    return member


def _days(
    names: Sequence[str], member: NDArray[np.bool_], each_day: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int8]]:
    """What everybody measures in a day: the sessions of their programmes in turn, up to their number."""
    patterns, which = np.unique(member, axis=0, return_inverse=True)
    kinds = np.zeros((len(patterns), MOST_A_DAY), np.int16)
    sessions = np.zeros((len(patterns), MOST_A_DAY), np.int8)
    for place, pattern in enumerate(patterns.tolist()):
        own = [name for name, is_in in zip(names, pattern, strict=True) if is_in and name not in EVERYBODY]
        lines = _day(own)
        sessions[place], kinds[place] = np.array(lines).T
    taken = np.arange(MOST_A_DAY) < each_day[:, None]
    starts = np.concatenate([[0], np.cumsum(taken.sum(axis=1))]).astype(np.int64)
    return starts, kinds[which.ravel()][taken], sessions[which.ravel()][taken]


def _day(programmes: Sequence[str]) -> list[tuple[int, int]]:
    """Sessions and kinds of a day, as many as anybody measures."""
    in_turn = [SESSIONS.get(name, OTHER_SESSIONS) for name in programmes]
    together: list[Sequence[str]] = []
    for turn in range(MOST_A_DAY):
        together += [sessions[turn % len(sessions)] for sessions in in_turn]
    lines = [(at, KIND_BY_NAME[kind].number) for at, kinds in enumerate(together) for kind in kinds]
    return lines[:MOST_A_DAY]
