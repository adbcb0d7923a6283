"""The programmes as their files have them, with the texts that the register's catalogue does not hold."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from alerting.engine.programme import Programme
from alerting.engine.programme_files import PACKAGED, load_folder
from models.settings import Settings


def programmes_of(settings: Settings) -> Sequence[Programme]:
    """Those of the folder that alerting goes by, read once. **Raises**: BadFile."""
    return _read(settings.programmes or PACKAGED)


@cache
def _read(folder: Path) -> Sequence[Programme]:
    return load_folder(folder)
