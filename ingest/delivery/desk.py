"""The desk of the front gate: what is delivered goes to the log, and each gets told what became of it.

What is said rests on what is stored and on what is acknowledged by the log, on nothing that is kept here:
several desks side by side say the same.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, TypeVar, cast

from ingest.delivery.clients.loading import Loader
from ingest.delivery.content import Caller, Code, Correction, Delivered, Fault, Outcome, Result
from ingest.delivery.drafts import Draft, Speaking, draft
from ingest.delivery.following import Following
from ingest.delivery.preview import Sound, fault_of, preview
from ingest.delivery.speakers import Speaker, Speakers
from ingest.delivery.status import Marks, Part
from ingest.delivery.verdicts import Verdict, shown, verdict_on
from ingest.foreseen import MARK
from ingest.log import Placed, Writer
from models import metrics
from models.columns import Refusal
from models.db import gate
from models.db.gate import Content, Identity, Stored
from models.db.pool import Pool
from models.errors import TryAgain
from models.messages import MAX_MESSAGE_BYTES, MAX_READINGS_PER_UPLOAD

DEADLINE_S = 5.0
"""So long the answer is waited for; then it may be in the log or not, and whoever sent it sends it again."""

_AT_ONCE = 200
_SMALL = 500
_READINGS = {result: metrics.GATEWAY_READINGS.labels(result.value) for result in Result}


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft, with what becomes of its readings. **Shape**: as many results and faults as readings."""

    draft: Draft
    results: tuple[Result, ...]
    faults: tuple[Fault | None, ...]
    revisions: tuple[int, ...]

    @property
    def is_new(self) -> bool:
        """Whether the log has to hear of it."""
        return any(result is not Result.DUPLICATE for result in self.results)

    @property
    def is_foreseen(self) -> bool:
        """Whether something in it will be refused."""
        return Result.REFUSED in self.results


Done = TypeVar("Done")
_Found: TypeAlias = tuple[Sequence[Sound | Refusal], Sequence[Sequence[Stored]]]


class Desk:
    """Takes in what callers deliver."""

    def __init__(
        self,
        pool: Pool,
        speakers: Speakers,
        writer: Writer,
        following: Following,
        marks: Marks,
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """`pool`: as thuiswacht_gateway."""
        self._pool = pool
        self._speakers = speakers
        self._writer = writer
        self._following = following
        self._marks = marks
        self._deadline_s = deadline_s
        self._look: Loader[Draft, _Found | None] = Loader(self._look_up, most=_AT_ONCE)

    async def deliver(
        self,
        caller: Caller,
        uploads: Sequence[Delivered],
        received_at_us: int,
        *,
        together: bool = False,
    ) -> list[Outcome]:
        """Writes to the log what can be written, and says of each upload what it became; in their order.

        `together`: all of it or nothing, of one patient. A fault anywhere keeps all of it out of the log.

        **Raises**: TryAgain when the log or the database does not answer in time. What of it got into the
        log all the same is a duplicate when it comes again.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                outcomes = await self._deliver(caller, uploads, received_at_us, together=together)
        except TimeoutError:
            raise TryAgain("Something that the front gate needs does not answer in time.") from None
        count(outcomes)
        return outcomes

    async def _deliver(
        self, caller: Caller, uploads: Sequence[Delivered], received_at_us: int, *, together: bool
    ) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        speaking = await self._speaking(caller, uploads, outcomes)
        if together:
            _require_one_patient(speaking, outcomes)
        size = sum(len(one.delivered.readings) for one in speaking)
        drafts = await _beside(partial(draft, speaking, caller.client_id, received_at_us), size)
        for one in drafts:
            if one.is_too_large:
                outcomes[one.parts[0].number] = _too_large(one)
        drafts = [one for one in drafts if not one.is_too_large]
        whose = {one.patient_id for one in drafts if one.is_above_all}
        if whose:
            # Above what was acknowledged before, that is, or taking it back. Nothing else waits for storing.
            await self._following.until_stored({self._writer.partition_of(who) for who in whose})
        looked = await self._look_at(drafts)
        judged = await _beside(partial(judge, drafts, looked), size)
        if together and (outcomes or any(one.is_foreseen for one in judged)):
            return _nothing_of(uploads, outcomes, judged)
        new = [one for one in judged if one.is_new]
        places = dict(zip(map(id, new), await self._write(new, together=together), strict=True))
        for one in judged:
            outcomes |= self._outcomes(caller, one, places.get(id(one)))
        return [outcomes[number] for number in range(len(uploads))]

    async def _speaking(
        self, caller: Caller, uploads: Sequence[Delivered], outcomes: dict[int, Outcome]
    ) -> list[Speaking]:
        found = await self._speakers(caller, [(one.device_id, one.patient) for one in uploads])
        speaking: list[Speaking] = []
        for number, (delivered, speaker) in enumerate(zip(uploads, found, strict=True)):
            fault = _of_somebody_else(delivered, speaker) if isinstance(speaker, Speaker) else speaker
            if fault is not None:
                outcomes[number] = Outcome(Result.REFUSED, faults=(fault,), upload_id=delivered.upload_id)
            elif isinstance(speaker, Speaker):
                speaking.append(Speaking(number, delivered, speaker.patient_id, speaker.device_id))
        return speaking

    async def _look_at(self, drafts: Sequence[Draft]) -> list[_Found]:
        """What becomes of their readings, and what is stored of those. **Raises**: TryAgain."""
        small = [one for one in drafts if len(one.readings) <= _SMALL]
        found = dict(zip(map(id, small), await self._look.several(small), strict=True))
        for one in drafts:
            if id(one) not in found:
                # By themselves, so that small ones of others do not wait for them.
                [found[id(one)]] = await self._look_up([one])
        looked = [found[id(one)] for one in drafts]
        if not all(looked):
            # Their registration is on its way; what the log holds before it would be refused for good.
            raise TryAgain("A patient was included a moment ago, and the log has not told of them yet.")
        return [one for one in looked if one is not None]

    async def _look_up(self, drafts: Sequence[Draft]) -> list[_Found | None]:
        """The same of several at once; None for a patient of whom the log has not told yet."""
        size = sum(len(one.readings) for one in drafts)
        found = await _beside(partial(preview, drafts, secrets.token_hex(8)), size)
        sound = [one for of in found for one in of if isinstance(one, Sound)]
        patients = list({one.patient_id for one in drafts})
        async with self._pool.connection() as connection:
            stored, unheard = await gate.stored_of(connection, [one.identity for one in sound], patients)
        nothing: list[Stored] = []
        in_order = iter(stored)
        looked = [(of, [next(in_order) if isinstance(one, Sound) else nothing for one in of]) for of in found]
        return [None if one.patient_id in unheard else seen for one, seen in zip(drafts, looked, strict=True)]

    async def _write(self, judged: Sequence[Judged], *, together: bool) -> list[Placed]:
        if not judged:
            return []
        messages = [
            (one.draft.patient_id, one.draft.value, [MARK] if one.is_foreseen else []) for one in judged
        ]
        with metrics.GATEWAY_WRITE.time():
            return await self._writer.place(messages, together=together)

    def _outcomes(self, caller: Caller, judged: Judged, placed: Placed | None) -> dict[int, Outcome]:
        outcomes: dict[int, Outcome] = {}
        first = 0
        for part in judged.draft.parts:
            count = len(part.delivered.readings)
            results = judged.results[first : first + count]
            status = None
            if placed is not None:
                here = Part(placed.partition, placed.offset, first, count)
                status = self._marks.address(caller.client_id, here)
            outcomes[part.number] = Outcome(
                result=result_of(results),
                results=results,
                faults=tuple(one for one in judged.faults[first : first + count] if one is not None),
                upload_id=judged.draft.upload_id,
                patient_id=judged.draft.patient_id,
                status=status,
                revision=max(judged.revisions[first : first + count], default=0),
            )
            first += count
        return outcomes


async def _beside(work: Callable[[], Done], readings: int) -> Done:
    """Work on so many readings; in a thread of its own where they are many, so that others need not wait."""
    return work() if readings <= _SMALL else await asyncio.to_thread(work)


def count(outcomes: Sequence[Outcome]) -> None:
    """Counts readings by what became of them; what was refused as a whole counts as one."""
    results = Counter[Result]()
    for one in outcomes:
        results.update(one.results or (one.result,))
    for result, number in results.items():
        _READINGS[result].inc(number)


def result_of(results: Sequence[Result]) -> Result:
    """What became of all of them in one word.

    >>> result_of([Result.DUPLICATE, Result.REFUSED]), result_of([Result.REFUSED])
    (<Result.ACCEPTED: 'accepted'>, <Result.REFUSED: 'refused'>)
    """
    kinds = set(results)
    return kinds.pop() if len(kinds) == 1 else Result.ACCEPTED


def judge(drafts: Sequence[Draft], looked: Sequence[_Found]) -> list[Judged]:
    """What becomes of each reading, and drafts as they are to be written. The first of the same counts."""
    seen: dict[tuple[Identity, int, bool], Content] = {}
    return [_judged(one, found, stored, seen) for one, (found, stored) in zip(drafts, looked, strict=True)]


def _judged(
    one: Draft,
    found: Sequence[Sound | Refusal],
    stored: Sequence[Sequence[Stored]],
    seen: dict[tuple[Identity, int, bool], Content],
) -> Judged:
    places = [place for part in one.parts for place in part.delivered.places]
    known = _known_faults(one)
    results: list[Result] = []
    faults: list[Fault | None] = []
    revisions: list[int] = []
    for number, (reading, place) in enumerate(zip(found, places, strict=True)):
        if isinstance(reading, Refusal):
            results.append(Result.REFUSED)
            faults.append(known.get(number) or fault_of(reading, place))
            revisions.append(0)
            continue
        verdict = verdict_on(reading, one.correction, stored[number], own="revision" in one.readings[number])
        verdict = _beside_others(reading, verdict, seen)
        results.append(verdict.result)
        faults.append(None if verdict.known is None else _conflict(reading, verdict.known, place))
        revisions.append(verdict.revision)
    if one.correction is not Correction.NONE and any(revisions):
        one = one.revised(revisions)
    return Judged(one, tuple(results), tuple(faults), tuple(revisions))


def _beside_others(
    reading: Sound, verdict: Verdict, seen: dict[tuple[Identity, int, bool], Content]
) -> Verdict:
    """Beside what was delivered with it: the worker will find it as it would find something stored."""
    if verdict.result is not Result.ACCEPTED:
        return verdict
    first = seen.setdefault((reading.identity, verdict.revision, reading.is_void), reading.content)
    return verdict if first == reading.content else verdict._replace(result=Result.REFUSED, known=first)


def _known_faults(one: Draft) -> dict[int, Fault]:
    known: dict[int, Fault] = {}
    first = 0
    for part in one.parts:
        known |= {first + number: fault for number, fault in part.delivered.faults.items()}
        first += len(part.delivered.readings)
    return known


def _conflict(reading: Sound, known: Content, where: str) -> Fault:
    kind = reading.identity.kind
    expected = f"{shown(kind, known)}, as is known of this reading (or a correction of it)"
    return Fault(where, expected, shown(kind, reading.content), Code.CONFLICT, kept=True)


def _of_somebody_else(delivered: Delivered, speaker: Speaker) -> Fault | None:
    """Readings from before the patient had the device; they are not kept under a name that is not theirs."""
    for reading, place in zip(delivered.readings, delivered.places, strict=True):
        # Some are no good, and have what was sent.
        taken_at_us = cast("object", reading.get("taken_at_us"))
        if isinstance(taken_at_us, int) and taken_at_us < speaker.since_us:
            expected = "a time at which the patient who has the device now had it"
            return Fault(place, expected, "an earlier one", Code.FORBIDDEN)
    return None


def _require_one_patient(speaking: list[Speaking], outcomes: dict[int, Outcome]) -> None:
    for one in speaking:
        if one.patient_id != speaking[0].patient_id:
            where = next(iter(one.delivered.places), "")
            fault = Fault(where, "readings of one patient", "readings of several", Code.RULE)
            outcomes[one.number] = Outcome(Result.REFUSED, faults=(fault,))


def _too_large(one: Draft) -> Outcome:
    expected = f"at most {MAX_MESSAGE_BYTES} bytes and {MAX_READINGS_PER_UPLOAD} readings in an upload"
    part = one.parts[0]
    where = next(iter(part.delivered.places), "")
    fault = Fault(where, expected, f"{len(one.value)} bytes", Code.TOO_LONG)
    return Outcome(Result.REFUSED, faults=(fault,), upload_id=part.delivered.upload_id)


def _nothing_of(
    uploads: Sequence[Delivered], outcomes: dict[int, Outcome], judged: Sequence[Judged]
) -> list[Outcome]:
    """Nothing is in the log; who is at fault is told why."""
    for one in judged:
        first = 0
        for part in one.draft.parts:
            count = len(part.delivered.readings)
            faults = tuple(
                replace(fault, kept=False) for fault in one.faults[first : first + count] if fault is not None
            )
            outcomes.setdefault(
                part.number, Outcome(Result.REFUSED, faults=faults, patient_id=part.patient_id)
            )
            first += count
    return [outcomes[number] for number in range(len(uploads))]
