"""How kernels are compiled: cached under a name that changes with any source of this folder.

numba notices only a change in the file of the function itself. With that, what calls each other would have to
stand in one file; with a folder of its own for each state of the sources, it may stand where it reads best.
"""

# pyright: reportUnknownVariableType=false, reportAttributeAccessIssue=false, reportAssignmentType=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalCall=false, reportCallIssue=false
# pyright: reportUntypedClassDecorator=false, reportArgumentType=false
# numba's inside has no types; what leaves this file has.

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from numba import _dynfunc, config, njit
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

_HERE = Path(__file__).parent
_SOURCES = b"".join(path.read_bytes() for path in sorted(_HERE.glob("*.py")))
CACHE = Path(getattr(config, "CACHE_DIR", "") or _HERE / "__pycache__") / sha256(_SOURCES).hexdigest()[:16]
"""Where compiled code is kept; older ones beside it may be deleted at any time."""

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compiles a function that Python calls: without the interpreter's lock, division as in numpy, cached."""
    settings: Any = config
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(CACHE)
    try:
        dispatcher: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        settings.CACHE_DIR = before
    return dispatcher


class _LowerPart(NativeLowering):
    """Leaves a part as it is written: whoever calls it takes it in and optimises all at once.

    Otherwise numba optimises each part with everything below it, again at each level: eight times as long.
    """

    _name = "lower_part"

    def run_pass(self, state: Any) -> bool:
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        library._optimize_final_module = lambda: None  # noqa: SLF001 - numba has no other way to say so
        library._finalize_final_module = partial(_leave, library)  # noqa: SLF001
        state.library = library
        state.flags.no_compile = True
        super().run_pass(state)
        library.finalize()
        lowered = state["cr"]
        name = lowered.fndesc.qualname.rpartition(".")[-1]
        module = lowered.fndesc.lookup_module()
        function = _dynfunc.make_function(module, name, name, 0, lowered.env, (library,))
        state.targetctx.insert_user_function(function, lowered.fndesc, [library])
        state["cr"] = lowered._replace(cfunc=function)
        return True


register_pass(mutates_CFG=True, analysis_only=False)(_LowerPart)


def _leave(library: Any) -> None:
    library._finalize_dynamic_globals()  # noqa: SLF001
    library._finalized = True  # noqa: SLF001


class _PartCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        manager: Any = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.passes = [
            (_LowerPart if one is NativeLowering else one, what) for one, what in manager.passes
        ]
        manager.finalize()
        return [manager]


def part(function: Function, *, inlined: bool = False) -> Function:
    """Compiles a function that only compiled ones call: within them, and cached with them."""
    dispatcher: Any = njit(
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        forceinline=inlined,
        pipeline_class=_PartCompiler,
    )(function)
    return dispatcher


def small_part(function: Function) -> Function:
    """The same of a function that costs less than calling it: it becomes a piece of each caller."""
    return part(function, inlined=True)
