"""Earlier states of a patient's rules, to go back to when something comes late.

A snapshot keeps the states that say anything: most rules are closed, wait for nothing, and are due never.
"""

from typing import Any

from alerting.engine.kernel.blocks import KEPT, block, roomy
from alerting.engine.kernel.compiling import part, small_part
from alerting.engine.kernel.layout import NEVER, SNAPSHOTS, Memory

MOVES = 16
"""A block that grows takes less than so many times what it holds at last, all moves together."""


@small_part
def oldest_us(p: int, m: Memory) -> int:
    """What a patient's oldest snapshot is the state after; −1 where there is none or it is older than all."""
    return m.snapshot_us[p * SNAPSHOTS] if m.patients[p].snapshots != 0 else -1


@small_part
def at_rest(state: Any) -> bool:
    """Whether a rule has nothing to remember: closed, not true, none of the last evaluations counts."""
    return state.open == 0 and state.since_us < 0 and state.bits == 0


@small_part
def copy_state(to: Any, state: Any) -> None:
    """One row into another."""
    to.since_us = state.since_us
    to.due_us = state.due_us
    to.bits = state.bits
    to.open = state.open
    to.raised = state.raised
    to.severity = state.severity
    to.unconfirmed = state.unconfirmed
    to.place = state.place


@part
def forget_oldest(p: int, m: Memory) -> None:
    """Gives up the oldest snapshot."""
    patient = m.patients[p]
    gone = patient.kept_len[0]
    left = 0
    for i in range(1, patient.snapshots):
        left += patient.kept_len[i]
        patient.kept_len[i - 1] = patient.kept_len[i]
        m.snapshot_us[p * SNAPSHOTS + i - 1] = m.snapshot_us[p * SNAPSHOTS + i]
        m.snapshot_mark_us[p * SNAPSHOTS + i - 1] = m.snapshot_mark_us[p * SNAPSHOTS + i]
    for j in range(left if gone > 0 else 0):
        copy_state(m.kept[patient.kept + j], m.kept[patient.kept + gone + j])
    patient.snapshots -= 1


@part
def has_room(p: int, m: Memory) -> bool:
    """Whether there is room for whatever may be remembered of a patient in one call."""
    return m.used[KEPT] + MOVES * (SNAPSHOTS * m.patients[p].states_len + SNAPSHOTS) <= m.room[KEPT]


@part
def remember(p: int, mark_us: int, m: Memory) -> None:
    """Keeps the states as they are after everything that was done and before a mark. There is room."""
    patient = m.patients[p]
    if patient.snapshots == SNAPSHOTS:
        forget_oldest(p, m)
    end = kept = 0
    for i in range(patient.snapshots):
        end += patient.kept_len[i]
    for s in range(patient.states_len):
        state = m.states[patient.states + s]
        if at_rest(state) and state.due_us == NEVER:
            continue
        if end + kept == patient.kept_cap:
            rows = roomy((end + kept + 1) * SNAPSHOTS // (patient.snapshots + 1))
            at = block(KEPT, rows, patient.kept_cap, m)
            for j in range(end + kept):
                copy_state(m.kept[at + j], m.kept[patient.kept + j])
            patient.kept = at
            patient.kept_cap = rows
        row = m.kept[patient.kept + end + kept]
        copy_state(row, state)
        row.place = s
        kept += 1
    m.snapshot_us[p * SNAPSHOTS + patient.snapshots] = patient.done_us
    m.snapshot_mark_us[p * SNAPSHOTS + patient.snapshots] = mark_us
    patient.kept_len[patient.snapshots] = kept
    patient.snapshots += 1


@part
def go_back(p: int, m: Memory) -> bool:
    """Restores the newest snapshot before `again_us`; False where none is so old."""
    patient = m.patients[p]
    snapshots = patient.snapshots
    while snapshots > 0 and m.snapshot_us[p * SNAPSHOTS + snapshots - 1] >= patient.again_us:
        snapshots -= 1
    if snapshots == 0:
        return False
    patient.snapshots = snapshots
    patient.done_us = m.snapshot_us[p * SNAPSHOTS + snapshots - 1]
    for s in range(patient.states_len):
        state = m.states[patient.states + s]
        state.since_us = -1
        state.due_us = NEVER
        state.bits = 0
        state.open = 0
        state.raised = 0
    first = patient.kept
    for i in range(snapshots - 1):
        first += patient.kept_len[i]
    for j in range(first, first + patient.kept_len[snapshots - 1]):
        copy_state(m.states[patient.states + m.kept[j].place], m.kept[j])
    return True
