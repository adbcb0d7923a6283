"""How arrays get into a kernel: as bare pointers, which nobody counts and which cost nothing to pass on.

An array that Python owns is counted, atomically, wherever it is passed on: that took two thirds of the
time, and most of the compiler's. So a tuple of arrays is handed over as a list of their addresses, and passed
on as the place of that list; `m.readings[i]` is then the row itself. Whoever hands arrays over must see to it
that they outlive the call. With NUMBA_BOUNDSCHECK=1 the arrays themselves are handed over, flat, and each
index is looked at.
"""

# pyright: reportUnknownVariableType=false, reportAttributeAccessIssue=false, reportAssignmentType=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalCall=false, reportCallIssue=false
# pyright: reportUntypedClassDecorator=false, reportArgumentType=false
# numba's inside has no types; what leaves this file has.

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import config
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import (
    AbstractTemplate,
    AttributeTemplate,
    infer_getattr,
    infer_global,
    signature,
)
from numba.extending import intrinsic, lower_builtin, models, register_model

from alerting.engine.kernel.compiling import part
from alerting.engine.kernel.layout import (
    ASKED,
    ATOM,
    BIN,
    EXTREMES,
    HISTORY,
    LIMIT,
    NAMED,
    PATIENT,
    READING,
    RULE,
    SCHEDULE,
    SEGMENT,
    SERIES,
    STATE,
    TRANSITION,
    TRIGGER,
    VERSION,
    Memory,
    Scratch,
    Tables,
)

CHECKED = bool(getattr(config, "BOUNDSCHECK", None))
ADDRESS = ir.IntType(64)


def handed(arrays: NamedTuple) -> Any:
    """A tuple of arrays and numbers as kernels take it. **Shape**: int64[fields]; checked, the tuple."""
    if CHECKED:
        made: Any = type(arrays)
        return made(*(one.reshape(-1) if isinstance(one, np.ndarray) else one for one in arrays))
    return np.array([_address(one) for one in arrays], np.int64)


def _address(one: Any) -> int:
    return int(one.__array_interface__["data"][0]) if isinstance(one, np.ndarray) else int(one)


class RowsType(types.Type):
    """Rows of a structured type at an address: `rows[i]` is the row itself, to be read and written."""

    def __init__(self, row: Any) -> None:
        self.row = row
        super().__init__(name=f"Rows({row})")


class HandedType(types.Type):
    """A list of addresses and numbers, by name: each the pointer that it stands for, or the number itself."""

    def __init__(self, of: type, fields: Mapping[str, Any]) -> None:
        self.fields = {name: _pointer_to(dtype) for name, dtype in fields.items()}
        self.places = {name: place for place, name in enumerate(fields)}
        super().__init__(name=f"Handed({of.__name__})")


class _AddressModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, ADDRESS)


_register: Any = register_model
_register(RowsType)(_AddressModel)
_register(HandedType)(_AddressModel)


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
    at = builder.add(address, builder.mul(index, ADDRESS(row.size)))
    return builder.inttoptr(at, ir.ArrayType(ir.IntType(8), row.size).as_pointer())


@infer_getattr
class _FieldOfHanded(AttributeTemplate):
    key = HandedType

    def generic_resolve(self, handed: Any, name: str) -> Any:
        return handed.fields.get(name)


@lower_getattr_generic(HandedType)
def _field_of_handed(context: Any, builder: Any, handed: Any, value: Any, name: str) -> Any:
    at = builder.add(value, ADDRESS(8 * handed.places[name]))
    found = builder.load(builder.inttoptr(at, ADDRESS.as_pointer()))
    field = handed.fields[name]
    if isinstance(field, types.CPointer):
        return builder.inttoptr(found, context.get_value_type(field))
    return found


def _pointer_to(dtype: Any) -> Any:
    """The type of a pointer to rows of a type; of a number where there is none."""
    if dtype is int:
        return types.int64
    row = from_dtype(np.dtype(dtype))
    return RowsType(row) if isinstance(row, types.Record) else types.CPointer(row)


def _taken(of: type, fields: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Makes what a kernel works with of what was handed over."""
    if set(fields) != set(getattr(of, "_fields", ())):
        raise AssertionError(f"{of.__name__} has other fields than {set(fields)}")
    if CHECKED:
        same: Callable[[Any], Any] = part(lambda arrays: arrays)
        return same
    place = HandedType(of, fields)

    def cast(_typing: Any, address: Any) -> Any:
        def build(_context: Any, _builder: Any, _typed: Any, arguments: Any) -> Any:
            return arguments[0]

        return place(address), build

    at: Any = intrinsic(cast)
    taken: Callable[[Any], Any] = part(lambda addresses: at(addresses.ctypes.data))
    return taken


LONG, INT, FLOAT, DIGEST = np.int64, np.int32, np.float64, np.uint64

memory_of = _taken(
    Memory,
    {
        "patients": PATIENT, "due_us": LONG, "series": SERIES, "readings": LONG, "odd": READING,
        "histories": HISTORY, "bins": BIN, "extremes": EXTREMES, "days": FLOAT, "segments": SEGMENT,
        "schedules": SCHEDULE, "states": STATE, "kept": STATE, "limits": LIMIT, "snapshot_us": LONG,
        "snapshot_mark_us": LONG, "digests": DIGEST, "used": LONG, "wasted": LONG, "room": LONG,
        "free": LONG, "longest": LONG,
    },
)  # fmt: skip
"""Patients, from what was handed over."""

tables_of = _taken(
    Tables,
    {
        "versions": VERSION, "rules_of_states": INT, "named": NAMED, "triggers": TRIGGER, "rules": RULE,
        "code": INT, "atoms": ATOM, "units": FLOAT, "canonical": LONG, "days": INT, "gate_share": FLOAT,
        "gate_level": FLOAT, "gate_wait_us": LONG, "slots": int,
    },
)  # fmt: skip
"""Programmes, from what was handed over."""

scratch_of = _taken(
    Scratch,
    {
        "ends": LONG, "stack": LONG, "values": FLOAT, "memo": FLOAT, "memo_at": LONG, "some": FLOAT,
        "others": FLOAT, "coming": LONG, "coming_us": LONG, "moved": LONG, "arrived": LONG, "out": TRANSITION,
        "asked": ASKED, "out_room": int, "asked_room": int,
    },
)  # fmt: skip
"""Room to work in, from what was handed over."""
