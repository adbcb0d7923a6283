"""Files that are written: whole or not at all."""

import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from models.errors import BadInput

STANDARD_OUTPUT = Path("-")


@contextmanager
def written(file: Path) -> Generator[BinaryIO]:
    """A file to write to that appears under its name when all went well; `-` is the standard output.

    **Raises**: BadInput where it cannot be written.
    """
    if file == STANDARD_OUTPUT:
        with tempfile.TemporaryFile() as kept:
            yield kept
            kept.seek(0)
            shutil.copyfileobj(kept, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    # What is no plain file (a pipe, a device) cannot be put in the place of another.
    plain = file.is_file() or not file.exists()
    part = file.with_name(f".{file.name}.part") if plain else file
    with opened(part) as out:
        try:
            yield out
        except BaseException:
            if plain:
                part.unlink()
            raise
    if plain:
        part.replace(file)


def write_whole(file: Path, content: bytes) -> None:
    """All of it under its name, or nothing. **Raises**: BadInput where it cannot be written to its end."""
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        found = error.strerror or str(error)
        expected = "a file that can be written to its end"
        raise BadInput(where=str(file), expected=expected, found=found) from error


def opened(file: Path) -> BinaryIO:
    """A file to write to as it comes. **Raises**: BadInput where it cannot be written."""
    try:
        return file.open("wb")
    except OSError as error:
        found = error.strerror or str(error)
        raise BadInput(where=str(file), expected="a file that can be written", found=found) from error
