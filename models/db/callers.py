"""Who delivers, and for whom, as the role thuiswacht_gateway: many questions in one query, nothing kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.access import Relation, Role, User
from models.clock import to_datetime, to_us, wall_now_us
from models.db.pool import Connection

_CALLERS = "SELECT * FROM gateway_callers($1, $2, $3, $4)"
_SPEAKERS = "SELECT * FROM gateway_speakers($1, $2, $3, $4)"


@dataclass(frozen=True, slots=True)
class Shown:
    """By what somebody is to be known: exactly one of a token's digest, a client's id, a certificate."""

    token_sha256: bytes | None = None
    client_id: str | None = None
    thumbprint: bytes | None = None
    subject: str | None = None
    """Beside the thumbprint, or alone."""


@dataclass(frozen=True, slots=True)
class Known:
    """A client that is known, not revoked, and still acts for its organisation; its keys, newest first."""

    client_id: str
    user: User
    names_patients: bool
    per_second: float
    burst: int
    adapter: str | None
    numbers: tuple[int, ...]
    secrets: tuple[bytes, ...]
    """Sealed, for who signs; as many as `numbers` then."""
    is_noted: bool
    """Whether it stands written already that these keys were used today."""


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom a client means to deliver."""

    client_id: str
    device_id: str | None
    patient_id: UUID | None
    bsn_digest: bytes | None


NO_RELATION = Relation()


@dataclass(frozen=True, slots=True)
class Found:
    """Who is meant: by the device, where it is on loan, else by name. **Units**: microseconds since 1970."""

    on_loan: bool = False
    """The device is with somebody, be it with whom the client may not deliver for."""
    patient_id: UUID | None = None
    """None: nobody, or nobody for whom the client may deliver."""
    since_us: int = 0
    """What the device measured earlier is somebody else's."""
    is_named_the_same: bool = False
    """Also where nobody is named."""
    relation: Relation = NO_RELATION


async def callers(connection: Connection, shown: Sequence[Shown]) -> list[Known | None]:
    """Who shows these; None for nobody that counts, or where several are meant at once."""
    rows = await connection.fetch(
        _CALLERS,
        [one.token_sha256 for one in shown],
        [one.client_id for one in shown],
        [one.thumbprint for one in shown],
        [one.subject for one in shown],
    )
    today = to_datetime(wall_now_us()).date()
    found: list[Known | None] = [None] * len(shown)
    taken: set[int] = set()
    for row in rows:
        place = row["place"] - 1
        if place in taken:
            found[place] = None
            continue
        taken.add(place)
        found[place] = Known(
            row["client_id"],
            User(row["person_id"], row["organisation_id"], Role.SERVICE),
            row["names_patients"],
            row["per_second"],
            row["burst"],
            row["adapter"],
            tuple(row["numbers"]),
            tuple(one for one in row["secrets"] if one is not None),
            row["used_on"] is not None and row["used_on"] >= today,
        )
    return found


async def note_used(connection: Connection, keys: Sequence[tuple[str, int]]) -> None:
    """Notes that keys were used today."""
    await connection.execute(
        "SELECT gateway_used($1, $2)", [client for client, _ in keys], [number for _, number in keys]
    )


async def speakers(connection: Connection, asked: Sequence[Asked]) -> list[Found]:
    """For whom each may deliver."""
    rows = await connection.fetch(
        _SPEAKERS,
        [one.client_id for one in asked],
        [one.device_id for one in asked],
        [one.patient_id for one in asked],
        [one.bsn_digest for one in asked],
    )
    found = [Found()] * len(asked)
    for row in rows:
        since: datetime | None = row["since_at"]
        found[row["place"] - 1] = Found(
            row["on_loan"],
            row["patient"],
            0 if since is None else to_us(since),
            row["named_same"],
            Relation(treatment=row["treatment"], objection=row["objection"], simulated=row["simulated"]),
        )
    return found


async def were_delivered(connection: Connection, requests: Sequence[tuple[str, bytes]]) -> list[bool]:
    """Which signed requests (client, digest of the id) were answered well before."""
    rows = await connection.fetch(
        "SELECT place FROM gateway_delivered($1, $2)",
        [client for client, _ in requests],
        [digest for _, digest in requests],
    )
    known = {row["place"] - 1 for row in rows}
    return [place in known for place in range(len(requests))]


async def note_delivered(connection: Connection, requests: Sequence[tuple[str, bytes, int]]) -> None:
    """Remembers signed requests that were answered well. **Units**: each for so many seconds."""
    await connection.execute(
        "SELECT gateway_note_delivered($1, $2, $3)",
        [client for client, _, _ in requests],
        [digest for _, digest, _ in requests],
        [seconds for _, _, seconds in requests],
    )
