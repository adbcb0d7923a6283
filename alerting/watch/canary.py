"""The canaries: a patient of nobody's in each partition, what they send, and whether it came out in time.

One in each partition, because partitions are what workers share: each worker has one to bring through. They
sing at the beginning of a minute, so that a second one on watch sings the same song, which is one reading.
Ids follow from the partition: nobody has to remember them, and to register one twice changes nothing.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

from ingest.keys import partition_of
from models.clock import SECOND_US
from models.findings import finding_id
from models.kinds import KIND_BY_NAME
from models.messages import SCHEMA, Origin
from models.programmes import CANARY

ORGANISATION = UUID("cd299312-fa8a-5149-a61b-a2d2703d80ba")
"""Whose they are; entered by the migration. Nobody works there."""

KIND = KIND_BY_NAME["battery"]
RULE = "sings"
VERSION = 1
VALUE = 100
MOST_WAITING = 20


def canaries(partition_count: int) -> tuple[UUID, ...]:
    """The canary of each partition, in their order.

    >>> [partition_of(canary, 4) for canary in canaries(4)]
    [0, 1, 2, 3]
    """
    found: dict[int, UUID] = {}
    number = 0
    while len(found) < partition_count:
        canary = uuid5(ORGANISATION, f"canary {number}")
        found.setdefault(partition_of(canary, partition_count), canary)
        number += 1
    return tuple(found[partition] for partition in range(partition_count))


def introduction(canary: UUID, every_s: float, now_us: int) -> Iterator[bytes]:
    """The messages that make a canary known to the log and enrol it in its programme.

    The alert of one song is over before the next: each must come out as an alert of its own.
    """
    breath = {"value": every_s / 2, "unit": "s", "set_by": "watch"}
    register = {"origin": Origin.CANARY.value, "organisation_id": str(ORGANISATION), "language": "nl"}
    enrol = {"programme": CANARY, "version": VERSION, "limits": {"breath": breath}}
    changes: dict[str, object] = {"register": register, "enrol": enrol}
    for name, change in changes.items():
        yield _message(
            type="change",
            change_id=str(uuid5(canary, json.dumps(change))),
            patient_id=str(canary),
            valid_from_us=now_us,
            change={name: change},
        )


def song(canary: UUID, taken_at_us: int, now_us: int) -> bytes:
    """The message with a canary's reading of that minute."""
    return _message(
        type="upload",
        upload_id=str(uuid5(canary, str(taken_at_us))),
        patient_id=str(canary),
        device_id=CANARY,
        source=CANARY,
        sent_at_us=now_us,
        received_at_us=now_us,
        readings=[{"kind": KIND.name, "value": VALUE, "unit": KIND.unit, "taken_at_us": taken_at_us}],
    )


def minute_us(now_us: int, every_s: float) -> int:
    """The beginning of the minute, or whatever stretch they sing in, that this moment lies in.

    >>> minute_us(125_000_000, 60)
    120000000
    """
    every_us = round(every_s * SECOND_US)
    return now_us // every_us * every_us


@dataclass(frozen=True, slots=True)
class Song:
    """A reading on its way. **Units**: microseconds since 1970 UTC."""

    partition: int
    canary: UUID
    taken_at_us: int
    sent_at_us: int
    stored: bool = False

    @property
    def reading(self) -> tuple[UUID, int]:
        """What it is stored as."""
        return self.canary, self.taken_at_us

    @property
    def finding(self) -> tuple[UUID, UUID]:
        """What the engine makes of it."""
        return self.canary, finding_id(self.canary, CANARY, RULE, self.taken_at_us)


@dataclass(frozen=True, slots=True)
class Late:
    """A partition in which nothing came out for too long, and how far it got."""

    partition: int
    waits_s: float
    got: str


@dataclass(slots=True)
class Flock:
    """All canaries, and what is on its way. `owed_us`: since when an answer of a partition is awaited."""

    canaries: Sequence[UUID]
    waiting: dict[int, list[Song]] = field(default_factory=dict[int, list[Song]])
    owed_us: dict[int, int] = field(default_factory=dict[int, int])
    heard: set[int] = field(default_factory=set[int])

    def sing(self, taken_at_us: int, now_us: int) -> list[Song]:
        """What is to be sent now. From now on an answer is owed, also where sending fails."""
        songs = [Song(at, canary, taken_at_us, now_us) for at, canary in enumerate(self.canaries)]
        for one in songs:
            self.owed_us.setdefault(one.partition, now_us)
        return songs

    def sent(self, songs: Iterable[Song]) -> None:
        """These are on the log. Only the latest are kept in mind: one of them answers for all before it."""
        for one in songs:
            self.waiting[one.partition] = [*self.waiting.get(one.partition, []), one][-MOST_WAITING:]

    def on_their_way(self) -> list[Song]:
        """All that did not come out yet."""
        return [one for songs in self.waiting.values() for one in songs]

    def stored(self, readings: Iterable[tuple[UUID, int]], now_us: int) -> list[float]:
        """These readings are stored; the delays of those that were not known to be, in seconds."""
        known = set(readings)
        delays: list[float] = []
        for partition, songs in self.waiting.items():
            new = [one for one in songs if one.reading in known and not one.stored]
            delays += [(now_us - one.sent_at_us) / SECOND_US for one in new]
            self.waiting[partition] = [replace(one, stored=True) if one in new else one for one in songs]
        return delays

    def came_out(self, findings: Iterable[tuple[UUID, UUID]], now_us: int) -> list[float]:
        """These findings came out as alerts; the delays in seconds. What was sent before is answered too."""
        known = set(findings)
        delays: list[float] = []
        for partition, songs in self.waiting.items():
            out = [place for place, one in enumerate(songs) if one.finding in known]
            if not out:
                continue
            delays += [(now_us - songs[place].sent_at_us) / SECOND_US for place in out]
            rest = self.waiting[partition] = songs[out[-1] + 1 :]
            self.heard.add(partition)
            self.owed_us.pop(partition, None)
            if rest:
                self.owed_us[partition] = rest[0].sent_at_us
        return delays

    def waits_s(self, partition: int, now_us: int) -> float:
        """For how long a partition owes an answer."""
        return max(0, now_us - self.owed_us.get(partition, now_us)) / SECOND_US

    def late(self, now_us: int, limit_s: float) -> list[Late]:
        """The partitions in which nothing came out for longer than the limit."""
        waits = {partition: self.waits_s(partition, now_us) for partition in range(len(self.canaries))}
        return [Late(at, for_s, self._got(at)) for at, for_s in waits.items() if for_s > limit_s]

    def is_in_time(self, now_us: int, limit_s: float) -> bool:
        """Whether every partition has answered, and none is late."""
        return len(self.heard) == len(self.canaries) and not self.late(now_us, limit_s)

    def _got(self, partition: int) -> str:
        songs = self.waiting.get(partition, [])
        if not songs:
            return "not written to the log"
        if any(one.stored for one in songs):
            return "stored, without an alert"
        return "in the log, not stored"


def said_of(late: Sequence[Late]) -> str:
    """What is wrong, for the technical alert: which partitions, for how long, how far they got.

    >>> said_of([Late(0, 130.2, "in the log, not stored"), Late(2, 125.0, "in the log, not stored")])
    'in the log, not stored: partitions 0, 2; longest 130 s'
    """
    by_got: dict[str, list[int]] = {}
    for one in late:
        by_got.setdefault(one.got, []).append(one.partition)
    parts = [f"{got}: partitions {', '.join(map(str, numbers))}" for got, numbers in by_got.items()]
    return f"{'; '.join(parts)}; longest {max(one.waits_s for one in late):.0f} s"


def _message(**content: object) -> bytes:
    return json.dumps({"schema": SCHEMA, **content}, separators=(",", ":")).encode()
