"""How arrays get into a kernel: as bare pointers, which nobody counts and which cost nothing to pass on.

An array that Python owns is counted, atomically, wherever it is passed on: that took two thirds of the
time, and most of the compiler's. Whoever hands arrays over must see to it that they outlive the call. With
NUMBA_BOUNDSCHECK=1 the arrays themselves are handed over, flat, and each index is looked at.
"""

# pyright: reportUnknownVariableType=false, reportAttributeAccessIssue=false, reportAssignmentType=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalCall=false, reportCallIssue=false
# pyright: reportUntypedClassDecorator=false, reportArgumentType=false
# numba's inside has no types; what leaves this file has.

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import config
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from alerting.engine.kernel.compiling import part
from alerting.engine.kernel.layout import (
    ASKED,
    ATOM,
    BIN,
    HISTORY,
    LIMIT,
    PATIENT,
    READING,
    RULE,
    SCHEDULE,
    SEGMENT,
    SERIES,
    STATE,
    TRANSITION,
    VERSION,
    Memory,
    Scratch,
    Tables,
)

CHECKED = bool(getattr(config, "BOUNDSCHECK", None))
Arrays = TypeVar("Arrays", Memory, Scratch, Tables)


def handed(arrays: Arrays) -> Arrays:
    """A tuple of arrays as kernels take it; what is no array stays as it is."""
    made: Any = type(arrays)
    found: Arrays = made(*(_address(one) if isinstance(one, np.ndarray) else one for one in arrays))
    return found


def _address(array: Any) -> Any:
    return array.reshape(-1) if CHECKED else int(array.__array_interface__["data"][0])


class RowsType(types.Type):
    """Rows of a structured type at an address: `rows[i]` is the row itself, to be read and written."""

    def __init__(self, row: Any) -> None:
        self.row = row
        super().__init__(name=f"Rows({row})")


class _RowsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, ir.IntType(64))


_register: Any = register_model
_register(RowsType)(_RowsModel)


@infer_global(operator.getitem)
class _RowOfRows(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:  # noqa: ARG002 - numba's form
        rows, index = args
        if isinstance(rows, RowsType) and isinstance(index, types.Integer):
            return signature(rows.row, rows, types.int64)
        return None


@lower_builtin(operator.getitem, RowsType, types.Integer)
def _row_of_rows(_context: Any, builder: Any, typed: Any, arguments: Any) -> Any:
    address, index = arguments
    row = typed.return_type
    at = builder.add(address, builder.mul(index, ir.IntType(64)(row.size)))
    return builder.inttoptr(at, ir.ArrayType(ir.IntType(8), row.size).as_pointer())


def _pointer_to(dtype: Any) -> Callable[[Any], Any]:
    """Makes a pointer to rows of a type of an address."""
    if CHECKED:
        same: Callable[[Any], Any] = part(lambda array: array)
        return same
    row = from_dtype(np.dtype(dtype))
    pointer = RowsType(row) if isinstance(row, types.Record) else types.CPointer(row)

    def cast(_typing: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, typed: Any, arguments: Any) -> Any:
            if isinstance(pointer, RowsType):
                return arguments[0]
            return builder.inttoptr(arguments[0], context.get_value_type(typed.return_type))

        return pointer(address), build

    made: Any = intrinsic(cast)
    return made


_patients, _series, _readings, _histories = map(_pointer_to, (PATIENT, SERIES, READING, HISTORY))
_bins, _segments, _schedules, _states = map(_pointer_to, (BIN, SEGMENT, SCHEDULE, STATE))
_limits, _versions, _rules, _atoms = map(_pointer_to, (LIMIT, VERSION, RULE, ATOM))
_transitions, _asked = map(_pointer_to, (TRANSITION, ASKED))
_longs, _ints, _floats, _digests = map(_pointer_to, (np.int64, np.int32, np.float64, np.uint64))


@part
def memory_of(own: Memory) -> Memory:
    """Patients, from what was handed over."""
    return Memory(
        _patients(own.patients), _longs(own.due_us), _series(own.series), _readings(own.readings),
        _histories(own.histories), _bins(own.bins), _floats(own.days), _segments(own.segments),
        _schedules(own.schedules), _states(own.states), _limits(own.limits), _longs(own.snapshot_us),
        _longs(own.snapshot_mark_us), _digests(own.digests), _longs(own.free), _longs(own.used),
        _longs(own.free_bins), _longs(own.used_bins), own.readings_room, own.bins_room,
    )  # fmt: skip


@part
def tables_of(own: Tables) -> Tables:
    """Programmes, from what was handed over."""
    return Tables(
        _versions(own.versions), _ints(own.rules_of_states), _longs(own.rules_by_series), _rules(own.rules),
        _ints(own.code), _atoms(own.atoms), _floats(own.units), _longs(own.canonical), _ints(own.days),
        _floats(own.gate_share), _floats(own.gate_level), _longs(own.gate_wait_us), own.slots,
    )  # fmt: skip


@part
def scratch_of(own: Scratch) -> Scratch:
    """Room to work in, from what was handed over."""
    return Scratch(
        _longs(own.ends), _longs(own.stack), _floats(own.values), _floats(own.memo), _longs(own.memo_at),
        _floats(own.some), _floats(own.others), _longs(own.coming_us), _longs(own.moved), _readings(own.new),
        _transitions(own.out), _asked(own.asked), own.out_room, own.asked_room,
    )  # fmt: skip
