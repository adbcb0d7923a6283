"""Carries out what is asked for in FHIR: readings go over the desk to the log, changes to the register."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableSequence, Sequence
from typing import Protocol

from ingest.delivery.content import Caller, Code, Delivered, Fault, Outcome
from ingest.delivery.fhir.elements import Element
from ingest.delivery.fhir.interaction import STATUSES, Asked
from ingest.delivery.fhir.plan import (
    Again,
    Planned,
    Step,
    answer,
    id_of,
    moved,
    refuse_address,
    refuse_others,
    refuse_version,
)
from ingest.delivery.fhir.references import Bundled
from ingest.delivery.fhir.responses import UNDONE, Response, refusal
from ingest.delivery.speakers import Speaker, Speakers
from models.db.gate import Identity, Stored
from models.errors import TryAgain
from models.kinds import KIND_BY_NAME

LONGEST_WAIT_S = 5.0
"""So long it is waited for that what was delivered before is stored, where a version has to be known."""

AWAY = "Not now: something that this needs is away. Send it again."

FindStored = Callable[[Sequence[Identity]], Awaitable[Sequence[Sequence[Stored]]]]


class Told(Protocol):
    """What came of telling: faults, or in a sentence what was done."""

    @property
    def says(self) -> str:
        """What was done, for who told it."""
        ...

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Why it was refused."""
        ...


class Tell(Protocol):
    """Tells the register what a hospital's system says."""

    async def __call__(
        self, caller: Caller, resource: Element, now_us: int, *, where: str, bundled: Bundled
    ) -> Told:
        """**Raises**: TryAgain."""
        ...


class Deliver(Protocol):
    """Takes in what callers deliver."""

    async def __call__(
        self, caller: Caller, uploads: Sequence[Delivered], received_at_us: int, *, together: bool = False
    ) -> list[Outcome]:
        """**Raises**: TryAgain."""
        ...


class Interactions:
    """Carries out interactions, those of a bundle or one by itself."""

    def __init__(self, deliver: Deliver, speakers: Speakers, stored: FindStored, tell: Tell | None) -> None:
        """Without `tell` changes are not taken, and who tells one is told so."""
        self._deliver_all = deliver
        self._speakers = speakers
        self._stored = stored
        self._tell = tell

    async def carry_out(
        self,
        caller: Caller,
        steps: Sequence[Step],
        now_us: int,
        *,
        together: bool = False,
    ) -> list[Response]:
        """What became of each that was planned, in their order.

        `together`: where one is refused, nothing is done, and what was fine is answered with UNDONE.
        **Units**: microseconds since 1970 UTC. **Raises**: TryAgain.
        """
        steps = list(steps)
        if not _is_off(steps, together=together):
            await self._check(caller, steps, together=together)
        if not _is_off(steps, together=together):
            await self._deliver(caller, steps, now_us, together=together)
            await self._tell_all(caller, steps, now_us)
        return [_response(number, steps) for number in range(len(steps))]

    async def _check(self, caller: Caller, steps: MutableSequence[Step], *, together: bool) -> None:
        """Refuses what is put to another id, meant for another version, or of another patient."""
        asked = {
            number: step
            for number, step in enumerate(steps)
            if isinstance(step, Planned) and (together or step.asked.to is not None)
        }
        if not asked:
            return
        whom = [(step.mapped.delivered.device_id, step.mapped.delivered.patient) for step in asked.values()]
        found = zip(asked, await self._speakers(caller, whom), strict=True)
        # Whoever speaks for nobody is refused by the desk, which says why.
        speaking = {number: speaker for number, speaker in found if isinstance(speaker, Speaker)}
        if together:
            patients = {number: speaker.patient_id for number, speaker in speaking.items()}
            _refuse(steps, refuse_others(asked, patients))
        versions = await self._versions(asked, speaking)
        for number, speaker in speaking.items():
            step = asked[number]
            refused = refuse_address(step, id_of(step, speaker.patient_id, speaker.device_id))
            refused = refused or refuse_version(step, versions.get(number))
            if refused is not None:
                steps[number] = refused

    async def _versions(
        self, asked: Mapping[int, Planned], speaking: Mapping[int, Speaker]
    ) -> Mapping[int, int]:
        """The highest revision that is stored of each that has to be a certain one."""
        identities = [
            (number, identity)
            for number, speaker in speaking.items()
            if asked[number].asked.if_match is not None
            for identity in _identities(asked[number], speaker)
        ]
        if not identities:
            return {}
        highest: dict[int, int] = {}
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                stored = await self._stored([identity for _, identity in identities])
        except TimeoutError:
            raise TryAgain("What was delivered before is not stored yet.") from None
        for (number, _), revisions in zip(identities, stored, strict=True):
            for one in revisions:
                highest[number] = max(one.revision, highest.get(number, 0))
        return highest

    async def _deliver(
        self, caller: Caller, steps: MutableSequence[Step], now_us: int, *, together: bool
    ) -> None:
        planned = [(number, step) for number, step in enumerate(steps) if isinstance(step, Planned)]
        if not planned:
            return
        uploads = [step.mapped.delivered for _, step in planned]
        outcomes = await self._deliver_all(caller, uploads, now_us, together=together)
        for (number, step), outcome in zip(planned, outcomes, strict=True):
            device_id = step.mapped.delivered.device_id or caller.client_id
            steps[number] = answer(step, outcome, device_id, now_us)

    async def _tell_all(self, caller: Caller, steps: MutableSequence[Step], now_us: int) -> None:
        """One after the other: what stands later in a bundle was often said later too."""
        for number, step in enumerate(steps):
            if isinstance(step, Asked):
                try:
                    steps[number] = await self._told(caller, step, now_us)
                except TryAgain:
                    if len(steps) == 1:
                        raise
                    # What stands beside it was done.
                    steps[number] = Response(503, AWAY)

    async def _told(self, caller: Caller, asked: Asked, now_us: int) -> Response:
        if self._tell is None:
            expected = "readings: this gate has no key to identities, and takes no changes"
            return refusal(422, Fault(asked.place, expected, asked.type, Code.NOT_SUPPORTED))
        told = await self._tell(caller, asked.resource, now_us, where=asked.place, bundled=asked.bundled)
        if told.faults:
            return Response(STATUSES[told.faults[0].code], told.says or None, told.faults)
        return Response(200, told.says)


def _is_off(steps: Sequence[Step], *, together: bool) -> bool:
    """Whether nothing may be done, because something of a whole is refused."""
    return together and any(isinstance(step, Response) and step.is_refused for step in steps)


def _refuse(steps: MutableSequence[Step], refused: Mapping[int, Response]) -> None:
    for number, response in refused.items():
        steps[number] = response


def _identities(step: Planned, speaker: Speaker) -> list[Identity]:
    return [
        Identity(
            speaker.patient_id,
            KIND_BY_NAME[reading["kind"]].number,
            reading["taken_at_us"],
            speaker.device_id,
        )
        for reading in step.mapped.delivered.readings
    ]


def _response(number: int, steps: Sequence[Step]) -> Response:
    match steps[number]:
        case Response() as response:
            return response
        case Again(of):
            return moved(_response(of, steps), of, number)
        case _:
            return Response(UNDONE)
