"""What of the log goes into a recording, and as what; pure."""

from collections import Counter
from collections.abc import Set as AbstractSet
from uuid import UUID

from ingest.decode import message_of
from ingest.keys import partition_of
from ingest.salvage import known_id
from ingest.stretch import Read
from models.messages import Change, Enrol, MoveVersion, Origin, Register, WireUpload
from simulators.recording.pseudonyms import Pseudonyms
from simulators.recording.rows import Rows, tick_message, upload_message

CANARY = "of canaries"
NOT_ALLOWED = "of patients whom one may not record"
MISPLACED = "in another partition than their patient's"
REFUSED = "messages that were refused as a whole"
REFUSED_READINGS = "readings of no known form"
IDLE_TICKS = "ticks that were behind the clock"


class Taking:
    """Puts messages into rows, in the order of the log, and counts what it leaves out.

    `allowed`: whose may be recorded; None: everybody's. `canaries` grows with the registrations that pass.
    """

    def __init__(
        self,
        pseudonyms: Pseudonyms | None,
        partition_count: int,
        allowed: AbstractSet[UUID] | None = None,
        canaries: AbstractSet[UUID] = frozenset(),
    ) -> None:
        self._pseudonyms = pseudonyms
        self._partition_count = partition_count
        self._allowed = None if allowed is None else {str(patient_id) for patient_id in allowed}
        self._canaries = {str(patient_id) for patient_id in canaries}
        self.left_out: Counter[str] = Counter()
        self.versions: set[tuple[str, int]] = set()
        self.readings = self.changes = self.ticks = 0
        self.clock: tuple[int, int] | None = None

    def tick(self, now_us: int, raw: bytes | None, rows: Rows) -> None:
        """The clock goes on."""
        rows.add_tick(now_us, None if raw is None or raw == tick_message(now_us) else raw)
        self.clock = (now_us if self.clock is None else self.clock[0]), now_us
        self.ticks += 1

    def message(self, partition: int, read: Read, rows: Rows) -> None:
        """Anything but a tick."""
        said = message_of(read.value, partition=partition, offset=read.offset)
        if said.change is not None:
            self.change(partition, said.change, read.value or b"", rows)
        elif said.upload is not None:
            self._upload(partition, said.upload, read.value or b"", rows)
            self.left_out[REFUSED_READINGS] += len(said.refusals) if self._pseudonyms is not None else 0
        elif self._pseudonyms is None and self._allowed is None:
            key = None if read.key is None else known_id(read.key.decode("utf-8", "replace"))
            rows.add_refused(key, read.value or b"")
        else:
            # Nobody can say of whom it is, or what is in it.
            self.left_out[REFUSED] += 1

    def change(self, partition: int | None, change: Change, raw: bytes, rows: Rows) -> None:
        """A change; `partition` None: not from the log, so it is in its place."""
        only, text = change.change.only, str(change.patient_id)
        if isinstance(only, Register) and only.origin is Origin.CANARY:
            self._canaries.add(text)
        if not self._is_wanted(partition, text):
            return
        if isinstance(only, Enrol | MoveVersion):
            self.versions.add((only.programme, only.version))
        self.changes += 1
        if self._pseudonyms is None:
            rows.add_change(text, raw.decode())
        else:
            rows.add_change(self._pseudonyms.patient(text), self._pseudonyms.change(change))

    def upload(self, upload: WireUpload, rows: Rows) -> None:
        """An upload that does not come from the log."""
        self._upload(None, upload, upload_message(upload), rows)

    def _upload(self, partition: int | None, upload: WireUpload, raw: bytes, rows: Rows) -> None:
        known = known_id(upload["patient_id"])
        if known is not None and not self._is_wanted(partition, known):
            return
        if known is None and self._allowed is not None:
            self.left_out[NOT_ALLOWED] += 1
            return
        self.readings += len(upload["readings"])
        if self._pseudonyms is None:
            rows.add_upload(upload, None if upload_message(upload) == raw else raw)
        else:
            rows.add_upload(self._pseudonyms.upload(upload), None)

    def _is_wanted(self, partition: int | None, patient: str) -> bool:
        why: str | None = None
        if patient in self._canaries:
            why = CANARY
        elif self._allowed is not None and patient not in self._allowed:
            why = NOT_ALLOWED
        elif partition is not None and partition_of(patient, self._partition_count) != partition:
            why = MISPLACED
        if why is not None:
            self.left_out[why] += 1
        return why is None
