"""From the engine's transitions on whole histories to findings: what opened each, raised it, cleared it.

Nothing is late here, so nothing is ever taken back: what opens stays, is raised, is cleared.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.engine.compiled import CompiledRule
from alerting.engine.verdict import Verdict, What
from models.errors import Broken

Ints = NDArray[np.int64]
NONE = -1


class Paired(NamedTuple):
    """Findings, as rows of the transitions that did it; −1 for none. **Shape**: each is [findings].

    In the order in which the transitions come: patient by patient, each in the order of time.
    """

    opened: Ints
    cleared: Ints
    raised: Ints


def lasting(rules: Sequence[CompiledRule]) -> Ints:
    """Each rule's number in all versions of its programme: by programme, then name."""
    places = [(rule.identity.programme, rule.identity.rule) for rule in rules]
    in_order = {place: number for number, place in enumerate(sorted(set(places)))}
    return np.array([in_order[place] for place in places], np.int64)


def paired(verdict: Verdict, lasting_of_rules: Ints, patients: int) -> Paired:
    """The findings of patients of whom the engine had heard nothing before.

    **Raises**: Broken where it contradicts itself.
    """
    if verdict.rebuild or verdict.replayed:
        raise Broken("The engine wants to evaluate patients again of whom it was told everything at once.")
    t: Any = verdict.transitions
    wrong, *found = _paired(
        t["patient"].astype(np.int64),
        lasting_of_rules[t["rule"].astype(np.int64)],
        t["what"].astype(np.int64),
        patients,
        int(lasting_of_rules.max(initial=0)) + 1,
    )
    if wrong != NONE:
        raise Broken(f"The engine speaks of a finding that is not open: {What(int(t['what'][wrong])).name}.")
    return Paired(*found)


@njit(cache=True, nogil=True)
def _paired(
    patient: Ints, lasting_of: Ints, what: Ints, patients: int, rules: int
) -> tuple[int, Ints, Ints, Ints]:
    """First comes a transition that is of no open finding, −1 where all is well."""
    open_ = np.full((patients, rules), -1, np.int64)
    opened, cleared, raised = np.empty(len(what), np.int64), np.full(len(what), -1), np.full(len(what), -1)
    count = 0
    for row in range(len(what)):
        finding = open_[patient[row], lasting_of[row]]
        if (what[row] == What.OPEN) != (finding < 0) or what[row] == What.KEEP:
            return row, opened[:0], opened[:0], opened[:0]
        if what[row] == What.OPEN:
            open_[patient[row], lasting_of[row]] = count
            opened[count] = row
            count += 1
        elif what[row] == What.RAISE:
            raised[finding] = row
        else:
            cleared[finding] = row
            open_[patient[row], lasting_of[row]] = -1
    return -1, opened[:count], cleared[:count], raised[:count]
