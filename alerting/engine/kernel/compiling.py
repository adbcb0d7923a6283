"""How kernels are compiled: cached under a name that changes with any source of this folder.

numba notices only a change in the file of the function itself. With that, what calls each other would have to
stand in one file; with a folder of its own for each state of the sources, it may stand where it reads best.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit

_HERE = Path(__file__).parent
_SOURCES = b"".join(path.read_bytes() for path in sorted(_HERE.glob("*.py")))
CACHE = Path(os.environ.get("NUMBA_CACHE_DIR") or _HERE / "__pycache__") / sha256(_SOURCES).hexdigest()[:16]
"""Where compiled code is kept; older ones beside it may be deleted at any time."""

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compiles a function that Python calls: without the interpreter's lock, division as in numpy, cached."""
    settings: Any = config
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(CACHE)
    try:
        dispatcher: Function = njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        settings.CACHE_DIR = before
    return dispatcher


def part(function: Function) -> Function:
    """Compiles a function that only compiled ones call: within them, and cached with them."""
    dispatcher: Function = njit(
        nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
    )(function)
    return dispatcher
