"""Where downloads are kept between runs, and the lock that lets one process at a time change them."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from models.errors import RefuseToStart


def cache_folder() -> Path:
    """The folder for what can be fetched again: THUISWACHT_CACHE, else the user's cache folder."""
    own = os.environ.get("THUISWACHT_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "thuiswacht"


@contextmanager
def exclusively(path: Path) -> Generator[None]:
    """Hold the lock file at `path`; a process that dies lets go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def hold(path: Path, otherwise: str) -> Generator[None]:
    """Hold the lock file at `path`, as long as the process or the block lasts.

    **Raises**: RefuseToStart saying `otherwise` when another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefuseToStart(otherwise) from error
        yield


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file at `path`."""
    try:
        with path.open("r") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
