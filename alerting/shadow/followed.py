"""Who was in the programmes whose place candidates take, for how long, and when they were away; pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np

from alerting.backtest.found import NEVER_US, Followed
from alerting.backtest.result import Held
from alerting.circumstances import Effective, turns
from models.changes import PlacedChange
from models.messages import End, Enrol, Origin, Register, Withdraw

_Span = tuple[int, int]


def followed_of(
    changes: Iterable[PlacedChange], programmes: Collection[str], from_us: int, until_us: int
) -> tuple[Followed, Held]:
    """Patients who were in one of these programmes at some time in [from, until).

    `changes` in the order of the log. **Units**: microseconds since 1970 UTC.
    """
    of_patient: dict[UUID, list[PlacedChange]] = {}
    for placed in changes:
        of_patient.setdefault(placed.change.patient_id, []).append(placed)
    spans = {
        patient_id: span
        for patient_id, own in of_patient.items()
        if not _is_canary(own) and (span := _span(own, programmes, from_us, until_us)) is not None
    }
    patients = sorted(spans)
    followed = Followed(
        patients=[str(patient_id) for patient_id in patients],
        from_us=np.array([spans[patient_id][0] for patient_id in patients], np.int64),
        until_us=np.array([spans[patient_id][1] for patient_id in patients], np.int64),
        readings=np.zeros(len(patients), np.int64),
    )
    return followed, _held(patients, of_patient)


def _is_canary(changes: Sequence[PlacedChange]) -> bool:
    contents = (placed.change.change.only for placed in changes)
    return any(isinstance(one, Register) and one.origin is Origin.CANARY for one in contents)


def _span(
    changes: Sequence[PlacedChange], programmes: Collection[str], from_us: int, until_us: int
) -> _Span | None:
    """From the first day in one of the programmes to the last, within the stretch."""
    inside: set[str] = set()
    begun_us: int | None = None
    spans: list[_Span] = []
    for placed in sorted(changes, key=lambda placed: placed.effective_from_us):
        at_us = placed.effective_from_us
        match placed.change.change.only:
            case Enrol(programme=programme) if programme in programmes:
                inside.add(programme)
            case Withdraw(programme=programme):
                inside.discard(programme)
            case End():
                inside.clear()
            case _:
                pass
        if inside and begun_us is None:
            begun_us = at_us
        elif not inside and begun_us is not None:
            spans.append((begun_us, at_us))
            begun_us = None
    if begun_us is not None:
        spans.append((begun_us, until_us))
    cut = [(max(first_us, from_us), min(last_us, until_us)) for first_us, last_us in spans]
    some = [span for span in cut if span[0] < span[1]]
    return (some[0][0], some[-1][1]) if some else None


def _held(patients: Sequence[UUID], changes: Mapping[UUID, Sequence[PlacedChange]]) -> Held:
    rows = [
        (row, admission, *span)
        for row, patient_id in enumerate(patients)
        for admission in (False, True)
        for span in _away(changes[patient_id], admission=admission)
    ]
    rows.sort(key=lambda held: (held[0], held[2]))
    return Held(
        patient=np.array([row[0] for row in rows], np.int32),
        admission=np.array([row[1] for row in rows], np.bool_),
        from_us=np.array([row[2] for row in rows], np.int64),
        until_us=np.array([row[3] for row in rows], np.int64),
    )


def _away(changes: Sequence[PlacedChange], *, admission: bool) -> list[_Span]:
    """When a patient paused, or was in hospital."""
    contents = [(placed, placed.change.change.only) for placed in changes]
    effective = [
        Effective(placed.effective_from_us, placed.offset, content)
        for placed, content in contents
        if content is not None
    ]
    away: list[_Span] = []
    since_us: int | None = None
    for turn in turns(effective):
        is_away = turn.circumstances.admitted if admission else turn.circumstances.paused
        if is_away and since_us is None:
            since_us = turn.at_us
        elif not is_away and since_us is not None:
            away.append((since_us, turn.at_us))
            since_us = None
    return away if since_us is None else [*away, (since_us, NEVER_US)]
