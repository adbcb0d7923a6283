"""The versions that are compared: each a set of programmes, from files and folders."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alerting.engine.programme import Programme
from alerting.engine.programme_files import PACKAGED, load_file, load_folder
from models.errors import BadInput

MOST_VERSIONS = 26
SHIPPED = "shipped"
"""What the version is called that comes with Thuiswacht, where none is named."""


@dataclass(frozen=True, slots=True)
class Version:
    """A set of programmes that is tried, under the name by which people know it."""

    name: str
    programmes: Sequence[Programme]

    @property
    def hash(self) -> str:
        """The same for the same programmes, whatever they are called and wherever they lie."""
        return hashlib.sha256("".join(sorted(each.hash for each in self.programmes)).encode()).hexdigest()

    def of(self, name: str) -> Sequence[Programme]:
        """What it has of a programme, by version; nothing where it has none."""
        found = (each for each in self.programmes if each.programme == name)
        return sorted(found, key=lambda each: each.version)


def read_versions(places: Sequence[Path]) -> Sequence[Version]:
    """The versions that files and folders stand for, in their order; what is shipped where none are given.

    A folder is a version. Files of programmes of one name are alternatives, a version each; a file whose
    programme is given once is part of every version, unless a folder brings it already: beside folders, the
    files make versions of their own out of the first folder, in place of what it has under their name.

    **Raises**: BadFile for a file that is wrong; BadInput for versions that nobody could tell apart, or files
    of several programmes that do not go together.
    """
    folders = [(place, load_folder(place)) for place in places if place.is_dir()]
    files = [(place, load_file(place)) for place in places if not place.is_dir()]
    if not places:
        return [Version(SHIPPED, load_folder(PACKAGED))]
    found = {place: Version(_stem(place), programmes) for place, programmes in folders}
    rest = folders[0][1] if folders else ()
    for place, programmes in _alternatives(files):
        names = {each.programme for each in programmes}
        kept = [each for each in rest if each.programme not in names]
        found[place] = Version(_stem(place), [*kept, *programmes])
    in_order = [found[place] for place in dict.fromkeys(places) if place in found]
    if len(in_order) > MOST_VERSIONS:
        raise BadInput(
            where="--programme", expected=f"at most {MOST_VERSIONS} versions", found=str(len(in_order))
        )
    return list(_named_apart(in_order))


def _alternatives(files: Sequence[tuple[Path, Programme]]) -> Iterator[tuple[Path, Sequence[Programme]]]:
    """The versions that files make, each with the file that it is called after."""
    by_name: dict[str, list[tuple[Path, Programme]]] = {}
    for place, programme in files:
        by_name.setdefault(programme.programme, []).append((place, programme))
    several = {name: given for name, given in by_name.items() if len(given) > 1}
    most = max(map(len, by_name.values()), default=0)
    for name, given in several.items():
        if len(given) != most:
            expected = f"one file of {name}, which is then part of every version, or {most}"
            raise BadInput(where="--programme", expected=expected, found=str(len(given)))
    called_after = next(iter(several.values()), files)
    for number in range(most):
        programmes = [given[min(number, len(given) - 1)][1] for given in by_name.values()]
        yield called_after[number][0], programmes


def _stem(place: Path) -> str:
    return place.resolve().name.removesuffix(place.suffix if place.is_file() else "")


def _named_apart(versions: Sequence[Version]) -> Iterator[Version]:
    """Versions whose names differ: those that are called the same get a number."""
    times: dict[str, int] = {}
    for version in versions:
        times[version.name] = number = times.get(version.name, 0) + 1
        yield Version(version.name if number == 1 else f"{version.name} ({number})", version.programmes)


def newest_of(versions: Sequence[Version]) -> Mapping[str, int]:
    """The newest number that any version has of each programme."""
    every = sorted((each.programme, each.version) for version in versions for each in version.programmes)
    return dict(every)
