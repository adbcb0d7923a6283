"""The project's own files, as the architecture tests look at them."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("alerting", "ingest", "models", "simulators")


def files() -> Iterator[Path]:
    """Every file of the repository; what tools leave behind lies in hidden folders and caches."""
    for top in sorted(ROOT.iterdir()):
        if top.is_file():
            yield top
        elif top.name == ".ci" or (not top.name.startswith(".") and top.name not in {"build", "dist"}):
            yield from (
                path
                for path in sorted(top.rglob("*"))
                if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".nbi", ".nbc"}
            )


def python_files(*tops: str) -> Iterator[Path]:
    """The Python files below the given folders."""
    return (path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in tops)


def name(path: Path) -> str:
    """The path as the tests speak of it: from the repository's root, with forward slashes."""
    return path.relative_to(ROOT).as_posix()
