"""Which patient a device, or a name, stands for: decided here, never believed from the message.

A device speaks for whom it is on loan to, today. A patient whom a message names besides must be the same.
Without a device on loan a client that may name patients names one of its own. What is refused does not tell
whether there is such a patient, or where a device is.

- A double that was merged leads to the registration that stays; its devices speak for that one.
- Follow-up that has ended takes no device its voice: what was buffered at home is stored, and no rule looks.
- National numbers are looked for by their keyed digest, and for clients that may name patients alone.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from ingest.acting import Decide
from ingest.delivery.clients.loading import Loader
from ingest.delivery.content import Caller, Code, Fault, Named
from models.access import Action, decide
from models.bsn import Bsn, bsn_of
from models.db import callers
from models.db.callers import Asked, Found
from models.db.pool import Pool
from models.errors import BadInput

Digest = Callable[[Bsn], bytes]
Ask = tuple[str | None, Named | None]
"""A device, and the patient who is named besides."""

LONGEST = 200
_NAME = re.compile(r"[^\x00\ud800-\udfff]{1,200}")
DEVICE, PATIENT = "device_id", "patient"
_THEIRS = "a device that is on loan to a patient of your organisation"
_WHOM = "a patient of your organisation"


@dataclass(frozen=True, slots=True)
class Speaker:
    """For whom is spoken, and as which device. **Units**: microseconds since 1970 UTC.

    What was measured before `since_us` is of whoever had the device then, and of nobody that is named here.
    """

    patient_id: UUID
    device_id: str
    since_us: int = 0


class Speakers:
    """Finds out for whom clients deliver: what is asked at the same time goes in one query."""

    def __init__(self, pool: Pool, bsn_digest: Digest | None, *, decide: Decide = decide) -> None:
        """`pool`: as thuiswacht_gateway. `bsn_digest`: by which numbers are found; None: they are not."""
        self._pool = pool
        self._digest = bsn_digest
        self._decide = decide
        self._load: Loader[Asked, Found] = Loader(self._find)

    async def __call__(self, caller: Caller, asked: Sequence[Ask]) -> list[Speaker | Fault]:
        """For whom each speaks, or why for nobody. **Raises**: TryAgain.

        **Shape**: as many as were asked, in their order.
        """
        # Most messages are of one device: it is asked for once.
        distinct = list(dict.fromkeys(asked))
        answers = dict(zip(distinct, await self._of(caller, distinct), strict=True))
        return [answers[one] for one in asked]

    async def _of(self, caller: Caller, asked: Sequence[Ask]) -> list[Speaker | Fault]:
        questions = [self._question(caller, device_id, named) for device_id, named in asked]
        found = await self._load.several([one for one in questions if isinstance(one, Asked)])
        answered = iter(found)
        return [
            one
            if isinstance(one, Fault)
            else speaker_of(caller, device_id, named, next(answered), decide=self._decide)
            for one, (device_id, named) in zip(questions, asked, strict=True)
        ]

    def _question(self, caller: Caller, device_id: str | None, named: Named | None) -> Asked | Fault:
        """What is looked for; a fault where it is plain already that nobody can be meant."""
        if named is not None and named.patient_id is None and named.bsn is None:
            named = None
        if device_id is None and named is None:
            return _required(caller)
        if device_id is not None and not is_name(device_id):
            # Nothing that the database would stumble over: it would take the questions of others with it.
            return Fault(DEVICE, f"1 to {LONGEST} characters, and no NUL", "something else", Code.VALUE)
        if device_id is None and not caller.names_patients:
            return Fault(DEVICE, "the id of the device that measured", "none", Code.REQUIRED)
        digest = None
        if named is not None and named.bsn is not None:
            if self._digest is None or not caller.names_patients:
                return Fault(
                    PATIENT,
                    "no national number: this client may not name patients; the device says whose it is",
                    "one",
                    Code.FORBIDDEN,
                )
            try:
                digest = self._digest(bsn_of(named.bsn))
            except BadInput as error:
                return Fault(PATIENT, error.expected, error.found, Code.VALUE)
        return Asked(caller.client_id, device_id, None if named is None else named.patient_id, digest)

    async def _find(self, asked: Sequence[Asked]) -> list[Found]:
        async with self._pool.connection() as connection:
            return await callers.speakers(connection, asked)


def speaker_of(
    caller: Caller, device_id: str | None, named: Named | None, found: Found, *, decide: Decide = decide
) -> Speaker | Fault:
    """The decision, from what the database found."""
    is_named = named is not None and (named.patient_id is not None or named.bsn is not None)
    allowed = decide(caller.user, Action.READING_DELIVER, found.relation).allowed
    is_lent = device_id is not None and found.on_loan
    if not is_lent and not (is_named and caller.names_patients):
        return Fault(DEVICE, _THEIRS, "one that is not", Code.NOT_FOUND)
    if found.patient_id is None or not allowed:
        if is_lent:
            return Fault(DEVICE, _THEIRS, "one that is not", Code.NOT_FOUND)
        return Fault(PATIENT, _WHOM, "nobody who is one", Code.NOT_FOUND)
    if not found.is_named_the_same:
        return Fault(PATIENT, "the patient who has this device, or none", "another", Code.FORBIDDEN)
    return Speaker(found.patient_id, caller.client_id if device_id is None else device_id, found.since_us)


def is_name(text: str) -> bool:
    r"""Whether a device can have this name.

    >>> is_name("scale-1"), is_name(""), is_name("\x00"), is_name("\ud800"), is_name("x" * 201)
    (True, False, False, False, False)
    """
    return _NAME.fullmatch(text) is not None


def _required(caller: Caller) -> Fault:
    if caller.names_patients:
        return Fault(PATIENT, "the device that measured, or the patient", "neither", Code.REQUIRED)
    return Fault(DEVICE, "the id of the device that measured", "none", Code.REQUIRED)
