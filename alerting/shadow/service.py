"""Running a shadow: which files, as which group, from where in the log."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alerting.engine.programme_files import load_file
from alerting.offline.moments import moment_us
from alerting.shadow.candidates import Candidates
from alerting.shadow.worker import From, ShadowHandler
from alerting.warm_up import warm_up
from ingest.service import serve
from models import logs
from models.db.positions import ALERTING_GROUP
from models.errors import BadInput, RefuseToStart
from models.settings import Settings

log = logs.get(__name__)

NOW, EARLIEST = "now", "earliest"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A shadow as somebody asked for it."""

    candidates: Candidates
    group: str
    begins: From


def wanted(files: Sequence[Path], begins: str, group: str | None, settings: Settings) -> Wanted:
    """What the options of the command mean. **Raises**: BadInput, RefuseToStart."""
    candidates = Candidates.of([load_file(file) for file in files])
    named = group or candidates.group
    if named in {ALERTING_GROUP, settings.storing_group, settings.consumer_group}:
        raise RefuseToStart(
            f"--group {named} is the consumer group of a service that works for real: expected another name."
        )
    return Wanted(candidates, named, begins_at(begins))


def begins_at(text: str) -> From:
    """What --from says. **Raises**: BadInput.

    >>> begins_at("2026-11-22T08:31:00+01:00")
    From(said='2026-11-22T08:31:00+01:00', at_us=1795332660000000)
    """
    if text == NOW:
        return From(text, None)
    if text == EARLIEST:
        return From(text, 0)
    try:
        return From(text, moment_us(text, "--from"))
    except BadInput as error:
        expected = f"{EARLIEST}, {NOW}, or {error.expected}"
        raise BadInput(where="--from", expected=expected, found=error.found) from None


def run(shadow: Wanted, settings: Settings) -> None:
    """Runs a shadow until SIGTERM or Ctrl-C. **Raises**: as `ingest.service.serve`."""
    logs.configure(settings.log_level)
    for one in shadow.candidates.programmes:
        log.info("candidate", group=shadow.group, programme=one.programme, version=one.version, hash=one.hash)
    settings = settings.model_copy(update={"consumer_group": shadow.group})
    warm_up(shadow.candidates.compiled())
    asyncio.run(
        serve(
            lambda pool, moved: ShadowHandler(
                pool, shadow.candidates, settings, group=shadow.group, begins=shadow.begins, moved=moved
            ),
            settings,
            role="thuiswacht_shadow",
            application="thuiswacht-shadow",
        )
    )
