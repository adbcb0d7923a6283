"""What nurses would have seen of a shadow's candidates: from the database, for who may see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from alerting.escalation.policy_files import load_policies
from alerting.offline.moments import moment_us
from alerting.shadow.candidates import Candidates
from alerting.shadow.comparison import Comparison, compare
from alerting.shadow.followed import followed_of
from ingest.on_command import Who, acting_as
from models.access import Action
from models.audit import Kind
from models.changes import PlacedChange
from models.clock import to_datetime
from models.db import positions, shadow_findings, shadows
from models.db.installation import Purpose, require_migrated
from models.db.patients import load_changes
from models.db.pool import Connection, connected
from models.db.shadows import Shadow, Start
from models.errors import BadInput, TryAgain
from models.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """Which shadow, and which stretch of time; None: all of it. **Units**: microseconds since 1970."""

    group: str
    from_us: int | None
    until_us: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison with what it rests on.

    `valid_from_us`: from then on the shadow followed the log as the real group did. `unfit`: what was agreed
    with patients and candidates do not have, what they have, and of how many patients. `by_person`: whether
    somebody looks who may see these patients; otherwise, of real ones, only what is of many may be told.
    """

    shadow: Shadow
    candidates: Candidates
    purpose: Purpose
    valid_from_us: int
    comparison: Comparison
    unfit: Sequence[tuple[str, str, int]]
    by_person: bool

    @property
    def tells_all(self) -> bool:
        """Whether small numbers and examples may be told."""
        return self.by_person or self.purpose == "trial"


def asked(group: str, begins: str | None, ends: str | None) -> Asked:
    """What the options of the command mean. **Raises**: BadInput."""
    from_us = None if begins is None else moment_us(begins, "--from")
    until_us = None if ends is None else moment_us(ends, "--to")
    if from_us is not None and until_us is not None and until_us <= from_us:
        raise BadInput(where="--to", expected="a moment after --from", found=str(ends))
    return Asked(group, from_us, until_us)


async def compare_shadow(
    settings: Settings, wanted: Asked, who: Who | None = None, reason: str | None = None
) -> Compared:
    """Both sides, of the patients whom `who` may see, with the look on record; without, of all.

    **Raises**: BadInput when there is no such shadow, or nothing to compare in that stretch; NotAllowed;
    TryAgain when the database is away or the shadow has not begun.
    """
    dsn, application = settings.postgres_dsn, "thuiswacht-programme"
    if who is None:
        async with (
            connected(dsn, role="thuiswacht_shadow", application=application, max_size=1) as pool,
            pool.connection() as connection,
            # One picture of the database, though the services go on.
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await _compared(connection, settings, wanted, by_person=False)
    async with (
        connected(dsn, role="thuiswacht_people", application=application, max_size=2) as pool,
        acting_as(pool, who, Action.ALERT_READ, Kind.READ, reason=reason) as act,
    ):
        compared = await _compared(act.connection, settings, wanted, by_person=True)
        sides = (compared.comparison.live, compared.comparison.candidate)
        act.touched += [UUID(example.patient) for side in sides for example in side.examples]
        act.details = f"shadow {wanted.group}, {compared.comparison.patients} patients"
        return compared


async def _compared(
    connection: Connection, settings: Settings, wanted: Asked, *, by_person: bool
) -> Compared:
    purpose = await require_migrated(connection)
    shadow = await shadows.find(connection, wanted.group)
    if shadow is None:
        known = ", ".join(await shadows.names(connection)) or "none"
        raise BadInput(where="--shadow", expected=f"a shadow of this database ({known})", found=wanted.group)
    candidates = Candidates.from_content(shadow.candidates)
    starts = await shadows.starts(connection, shadow.group)
    clock_us = await _clock_us(connection, settings, shadow.group)
    if clock_us is None or not starts or not all(start.is_built for start in starts.values()):
        raise TryAgain(f"The shadow {shadow.group} has not begun in every partition yet.")
    valid_from_us = max(start.valid_from_us or 0 for start in starts.values())
    changes = await _changes(connection, shadow.group, starts)
    first_us = min((placed.effective_from_us for placed in changes), default=0)
    from_us = max(valid_from_us, first_us) if wanted.from_us is None else wanted.from_us
    until_us = clock_us if wanted.until_us is None else min(wanted.until_us, clock_us)
    if until_us <= from_us:
        raise BadInput(
            where="--from, --to",
            expected=f"a stretch that the shadow has followed, {_stretch(valid_from_us, clock_us)}",
            found=_stretch(from_us, wanted.until_us or clock_us),
        )
    followed, held = followed_of(changes, candidates.versions, from_us, until_us)
    comparison = compare(
        followed,
        held,
        await shadow_findings.real(connection, from_us, until_us, list(starts)),
        await shadow_findings.tried(connection, from_us, until_us, shadow.group),
        replaced=candidates.versions,
        from_us=from_us,
        until_us=until_us,
        policies=load_policies(),
    )
    unfit = await shadow_findings.unfit(connection, shadow.group)
    return Compared(shadow, candidates, purpose, valid_from_us, comparison, unfit, by_person)


def _stretch(from_us: int, until_us: int) -> str:
    return f"from {to_datetime(from_us).isoformat()} until {to_datetime(until_us).isoformat()}"


async def _clock_us(connection: Connection, settings: Settings, group: str) -> int | None:
    """Up to when both have followed every partition."""
    real = settings.consumer_group or positions.ALERTING_GROUP
    clocks = [await positions.log_clock_us(connection, one) for one in (group, real)]
    known = [at_us for at_us in clocks if at_us is not None]
    return min(known) if len(known) == len(clocks) else None


async def _changes(connection: Connection, group: str, starts: Mapping[int, Start]) -> list[PlacedChange]:
    where = await shadows.log_of(connection, group)
    found: list[PlacedChange] = []
    for number in starts:
        found += await load_changes(connection, *where, number)
    return found
