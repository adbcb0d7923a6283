"""What is evaluated: a file of readings with its registrations, or a recording, which has both."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.programme import Programme
from alerting.offline.registrations import Registrations, load
from alerting.offline.sources import Source, open_source
from alerting.recording.moving import moved
from alerting.recording.opened import is_recording, open_recording
from models.errors import BadInput


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be evaluated; a recording has its own registrations.

    `skip` None: rows that are refused end the run, but those of a recording, which the log refused as well.
    `moves`: of a recording, patients are in a version that is among the programmes, whichever they were in.
    **Units**: `until_us` in microseconds since 1970 UTC.
    """

    programmes: Sequence[Programme]
    readings: Path
    out: Path
    registrations: Path | None = None
    until_us: int | None = None
    skip: bool | None = None
    errors: Path | None = None
    threads: int = 0
    moves: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Readings, and who is followed; `known` has the patients who are registered, None where everybody is.

    **Units**: `until_us` in microseconds since 1970 UTC, None for the latest reading's time.
    """

    source: Source
    registrations: Registrations
    known: Iterable[str] | None
    until_us: int | None
    skip: bool
    is_recording: bool = False


def history_of(wishes: Wishes, programmes: CompiledProgrammes, tell: Callable[[str], None]) -> History:
    """Opens what is to be evaluated. **Raises**: BadInput."""
    if is_recording(wishes.readings):
        return _recorded(wishes, programmes, tell)
    if wishes.registrations is None:
        registrations, known = Registrations.everybody_in(dict(sorted(programmes.versions))), None
    else:
        registrations = load(wishes.registrations, programmes)
        known = registrations.texts.values()
    source = open_source(wishes.readings)
    return History(source, registrations, known, wishes.until_us, wishes.skip or False)


def _recorded(wishes: Wishes, programmes: CompiledProgrammes, tell: Callable[[str], None]) -> History:
    if wishes.registrations is not None:
        expected = "none beside a recording, which has its own"
        raise BadInput(where="--registrations", expected=expected, found=wishes.registrations.name)
    opened = open_recording(wishes.readings, skip=wishes.skip or False, tell=tell)
    registrations = opened.registrations
    if wishes.moves:
        registrations = moved(registrations, programmes.versions, tell)
    return History(
        source=opened.source,
        registrations=registrations,
        known=registrations.texts.values(),
        until_us=opened.until_us if wishes.until_us is None else wishes.until_us,
        skip=wishes.skip is not False,
        is_recording=True,
    )
