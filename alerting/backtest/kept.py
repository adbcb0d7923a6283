"""Pieces that are done, kept in a folder, so that a run that was cut off goes on where it was.

Each is a file that is there as a whole or not at all, in a folder named after everything that its content
depends on: with other programmes, readings or options nothing of it is found again.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.evaluating import Findings, Piece, Spans
from alerting.offline.bad_rows import BadRow
from alerting.offline.output import write_whole
from alerting.offline.preparing import Counted
from models.columns import Reason

FOLDER = ".pieces"
MARK = "begun.json"
US = "thuiswacht"
FORM = 1
"""Counts changes of what a piece is, as a file."""

_COUNTS = ("rows", "evaluated", "duplicates", "too_late")


class Kept:
    """The pieces of one run. Nobody but who runs it may read them: they name patients."""

    def __init__(self, out: Path, depends_on: Iterable[str]) -> None:
        self._all = out / FOLDER
        self.key = _digest([str(FORM), version(US), *depends_on])
        self._folder = self._all / self.key
        self.of_another = self._all.exists() and not self._folder.exists()
        """Whether what is there is of a run with something else."""
        if self.of_another:
            shutil.rmtree(self._all)

    @property
    def done(self) -> int:
        """How many there are."""
        return sum(1 for _ in self._folder.glob("[!.]*.npz"))

    def mark(self) -> Any:
        """What the run wrote down when it began; None where it did not, or the disk lost it."""
        file = self._folder / MARK
        try:
            return json.loads(file.read_bytes()) if file.exists() else None
        except ValueError:
            return None

    def anew(self, mark: str) -> None:
        """Begins anew, and writes down what it begins with."""
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._folder.mkdir(mode=0o700, parents=True)
        write_whole(self._folder / MARK, mark.encode())

    def find(self, patients: Sequence[str]) -> Piece | None:
        """What came of these patients, if it is there, and whole: a machine may have lost its power."""
        file = self._file(patients)
        try:
            return _read(BytesIO(file.read_bytes())) if file.exists() else None
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def keep(self, piece: Piece) -> None:
        """Keeps a piece. **Raises**: BadInput where there is no room for it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._file(piece.names), _written(piece))

    def forget(self) -> None:
        """All is done: nothing is left that names patients."""
        if self._all.exists():
            shutil.rmtree(self._all)

    def _file(self, patients: Sequence[str]) -> Path:
        return self._folder / f"{_digest(patients)}.npz"


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _written(piece: Piece) -> bytes:
    told = {
        "names": list(piece.names),
        "unfit": piece.unfit,
        "counts": [getattr(piece.counted, name) for name in _COUNTS],
        "crossed": [asdict(row) for row in piece.counted.crossed],
    }
    columns: dict[str, NDArray[Any]] = {
        "told": np.frombuffer(json.dumps(told).encode(), np.uint8),
        "conflicts": piece.counted.conflicts,
        **{name: getattr(piece, name) for name in ("from_us", "until_us", "readings")},
        **{f"found_{name}": column for name, column in piece.findings._asdict().items()},
        **{f"held_{name}": column for name, column in piece.held._asdict().items()},
    }
    image: Any = BytesIO()
    savez: Any = np.savez
    savez(image, **columns)
    return image.getvalue()


def _read(file: BytesIO) -> Piece:
    with np.load(file, allow_pickle=False) as columns:
        told: Any = json.loads(columns["told"].tobytes())
        crossed = [replace(BadRow(**row), reason=Reason(row["reason"])) for row in told["crossed"]]
        return Piece(
            names=told["names"],
            from_us=columns["from_us"],
            until_us=columns["until_us"],
            readings=columns["readings"],
            findings=Findings(*(columns[f"found_{name}"] for name in Findings._fields)),
            held=Spans(*(columns[f"held_{name}"] for name in Spans._fields)),
            counted=Counted(*told["counts"], crossed=crossed, conflicts=columns["conflicts"]),
            unfit=told["unfit"],
        )
