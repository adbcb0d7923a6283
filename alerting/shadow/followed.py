"""Who was in the programmes whose place candidates take, for how long, and when they were away; pure."""

from collections.abc import Collection, Iterable
from uuid import UUID

import numpy as np

from alerting.backtest.followed import Span, followed, held
from alerting.backtest.found import Followed
from alerting.backtest.result import Held
from alerting.offline.evaluation import History
from models.changes import PlacedChange
from models.messages import AnyChange, Origin, Register


def followed_of(
    changes: Iterable[PlacedChange], programmes: Collection[str], from_us: int, until_us: int
) -> tuple[Followed, Held]:
    """Patients who were in one of these programmes at some time in [from, until).

    `changes` in the order of the log. **Units**: microseconds since 1970 UTC.
    """
    histories: dict[UUID, list[tuple[int, AnyChange]]] = {}
    for placed in changes:
        if (change := placed.change.change.only) is not None:
            own = histories.setdefault(placed.change.patient_id, [])
            own.append((placed.effective_from_us, change))
    stretch = Span(from_us, until_us)
    spans = {
        patient_id: span
        for patient_id, history in sorted(histories.items())
        if not _is_canary(history)
        and (span := followed(history, programmes, stretch)).until_us > span.from_us
    }
    found = Followed(
        patients=[str(patient_id) for patient_id in spans],
        from_us=np.array([span.from_us for span in spans.values()], np.int64),
        until_us=np.array([span.until_us for span in spans.values()], np.int64),
        readings=np.zeros(len(spans), np.int64),
    )
    return found, _held([histories[patient_id] for patient_id in spans])


def _is_canary(history: History) -> bool:
    return any(isinstance(change, Register) and change.origin is Origin.CANARY for _, change in history)


def _held(histories: Iterable[History]) -> Held:
    rows = [(row, span) for row, history in enumerate(histories) for span in held(history)]
    return Held(
        patient=np.array([row for row, _ in rows], np.int32),
        admission=np.array([span.admission for _, span in rows], np.bool_),
        from_us=np.array([span.from_us for _, span in rows], np.int64),
        until_us=np.array([span.until_us for _, span in rows], np.int64),
    )
