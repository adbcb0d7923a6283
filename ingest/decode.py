"""From the bytes of one partition to columns: what was sent, before anybody knows who the patients are.

Fast for the many: all uploads of a batch are parsed and validated as one JSON object, without a Python object
of ours per reading. Whatever does not validate like that is taken apart by `ingest.salvage`. Pure: the same
records always give the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ingest.salvage import WHOLE_MESSAGE, Salvaged, readings_in, salvage, shown
from ingest.scan import as_bytes, long_numbers, nesting, parse_uuids
from ingest.sent import Sent, columns
from models.columns import Reason, Refusal
from models.messages import MAX_MESSAGE_BYTES, Change, Clock, WireUpload

CHUNK_RECORDS = 128
"""Uploads that are validated together: enough to spread the cost, few enough to try again one by one."""

MAX_NESTING = 100
"""Levels of a message that is read; a limit of its own, for that of a parser depends on who calls it."""

_UPLOADS = TypeAdapter(dict[str, WireUpload])
_UPLOAD = TypeAdapter(WireUpload)
_CLOCK = TypeAdapter(Clock)
_LOOKS_LIKE_UPLOAD = (b'{"schema":1,"type":"upload"', b'{"schema": 1, "type": "upload"')
_LOOKS_LIKE_CLOCK = (b'{"schema":1,"type":"clock"', b'{"schema": 1, "type": "clock"')


class Record(Protocol):
    """One message of the log, as a Kafka client gives it."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""
        ...

    @property
    def value(self) -> bytes | None:
        """What was written; None for a tombstone."""
        ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a batch of one partition holds. `received` counts its readings, refused ones included."""

    partition: int
    sent: Sent
    changes: tuple[tuple[int, Change], ...]
    clocks: tuple[tuple[int, int], ...]
    refusals: tuple[Refusal, ...]
    received: int


def decode(records: Sequence[Record], *, partition: int, nonce: str) -> Decoded:
    """What the records of one partition say, in the order of their offsets.

    `nonce` names the messages while they are parsed together, so that no message can pass for a part of its
    neighbour; it must be a secret of this batch, letters and digits only.
    """
    batch = _Batch(partition)
    waiting: list[Record] = []
    for record in records:
        raw = record.value
        nothing = _nothing_to_read(raw)
        if raw is None or nothing is not None:
            batch.refusals.append(_whole_refused(partition, record.offset, *cast("_Nothing", nothing)))
        elif raw.startswith(_LOOKS_LIKE_UPLOAD):
            waiting.append(record)
            if len(waiting) == CHUNK_RECORDS:
                batch.take_uploads(waiting, nonce)
                waiting = []
        elif raw.startswith(_LOOKS_LIKE_CLOCK):
            batch.take_clock(record.offset, raw)
        else:
            batch.take(record.offset, salvage(raw, partition=partition, offset=record.offset))
    if waiting:
        batch.take_uploads(waiting, nonce)
    return batch.decoded()


def message_of(raw: bytes | None, *, partition: int, offset: int) -> Salvaged:
    """What one message says, as `decode` has it: for who looks at messages one by one."""
    nothing = _nothing_to_read(raw)
    if raw is None or nothing is not None:
        refusal = _whole_refused(partition, offset, *cast("_Nothing", nothing))
        return Salvaged(refusals=[refusal])
    if raw.startswith(_LOOKS_LIKE_UPLOAD) and not _suspects(raw, [raw]):
        try:
            upload = _UPLOAD.validate_json(raw, strict=True)
        except ValidationError:
            pass
        else:
            if _is_uuid(upload["upload_id"]):
                return Salvaged(upload=upload, positions=list(range(len(upload["readings"]))))
    salvaged = salvage(raw, partition=partition, offset=offset)
    if salvaged.upload is not None and not _is_uuid(salvaged.upload["upload_id"]):
        refusal = _wrong_upload_id(partition, offset, salvaged.upload)
        return Salvaged(refusals=[*salvaged.refusals, refusal])
    return salvaged


class _Batch:
    """Collects what was found in the records of one partition."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.offsets: list[int] = []
        self.uploads: list[WireUpload] = []
        self.damaged: dict[int, list[int]] = {}
        self.changes: list[tuple[int, Change]] = []
        self.clocks: list[tuple[int, int]] = []
        self.refusals: list[Refusal] = []

    def take_uploads(self, records: Sequence[Record], nonce: str) -> None:
        """Validates them all at once; where that fails, one by one, and where that fails, piece by piece."""
        names = [f"{nonce}{number}" for number in range(len(records))]
        named = [
            b'"%b":%b' % (name.encode(), record.value) for name, record in zip(names, records, strict=True)
        ]
        joined = b"{%b}" % b",".join(named)
        suspects = _suspects(joined, named)
        if not suspects:
            try:
                uploads = _UPLOADS.validate_json(joined, strict=True)
            except ValidationError:
                uploads = dict[str, WireUpload]()
            if list(uploads) == names:
                self.offsets.extend([record.offset for record in records])
                self.uploads.extend(uploads.values())
                return
        self._take_one_by_one(records, suspects)

    def _take_one_by_one(self, records: Sequence[Record], suspects: set[int]) -> None:
        for number, record in enumerate(records):
            raw = cast("bytes", record.value)
            if number not in suspects:
                try:
                    upload = _UPLOAD.validate_json(raw, strict=True)
                except ValidationError:
                    pass
                else:
                    self.offsets.append(record.offset)
                    self.uploads.append(upload)
                    continue
            self.take(record.offset, salvage(raw, partition=self.partition, offset=record.offset))

    def take_clock(self, offset: int, raw: bytes) -> None:
        try:
            self.clocks.append((offset, _CLOCK.validate_json(raw).now_us))
        except ValidationError:
            self.take(offset, salvage(raw, partition=self.partition, offset=offset))

    def take(self, offset: int, salvaged: Salvaged) -> None:
        self.refusals.extend(salvaged.refusals)
        if salvaged.upload is not None:
            self.damaged[offset] = salvaged.positions
            self.offsets.append(offset)
            self.uploads.append(salvaged.upload)
        if salvaged.change is not None:
            self.changes.append((offset, salvaged.change))
        if salvaged.clock is not None:
            self.clocks.append((offset, salvaged.clock.now_us))

    def decoded(self) -> Decoded:
        ids = self._upload_ids()
        if self.offsets != sorted(self.offsets):
            order = np.argsort(np.array(self.offsets, dtype=np.int64), kind="stable")
            self.offsets = [self.offsets[row] for row in order]
            self.uploads = [self.uploads[row] for row in order]
            ids = ids[order]
        sent = columns(self.offsets, self.uploads, ids, self.damaged)
        return Decoded(
            partition=self.partition,
            sent=sent,
            changes=tuple(sorted(self.changes, key=itemgetter(0))),
            clocks=tuple(sorted(self.clocks)),
            refusals=tuple(self.refusals),
            received=len(sent) + sum(refusal.readings for refusal in self.refusals),
        )

    def _upload_ids(self) -> NDArray[np.uint8]:
        """The ids of the uploads as bytes; uploads whose id is none are refused and left out."""
        texts = [upload["upload_id"] for upload in self.uploads]
        joined = "".join(texts).encode()
        if len(joined) == 36 * len(texts) and set(map(len, texts)) <= {36}:
            ids, wrong = parse_uuids(as_bytes(joined))
            if not wrong.any():
                return ids
        sound = [_is_uuid(text) for text in texts]
        for offset, upload, is_sound in zip(self.offsets, self.uploads, sound, strict=True):
            if not is_sound:
                self.refusals.append(_wrong_upload_id(self.partition, offset, upload))
        self.offsets = [offset for offset, is_sound in zip(self.offsets, sound, strict=True) if is_sound]
        self.uploads = [upload for upload, is_sound in zip(self.uploads, sound, strict=True) if is_sound]
        return parse_uuids(as_bytes("".join(upload["upload_id"] for upload in self.uploads).encode()))[0]


class _Nothing(NamedTuple):
    """Why a message is not even read: reason, expected, found, and how many readings it stands for."""

    reason: Reason
    expected: str
    found: str
    readings: int


def _nothing_to_read(raw: bytes | None) -> _Nothing | None:
    if raw is None:
        return _Nothing(Reason.INVALID_JSON, "JSON", "nothing", 0)
    if len(raw) > MAX_MESSAGE_BYTES:
        expected = f"at most {MAX_MESSAGE_BYTES} bytes"
        return _Nothing(Reason.UPLOAD_TOO_LARGE, expected, f"{len(raw)} bytes", readings_in(raw))
    if _is_too_deep(raw):
        expected = f"at most {MAX_NESTING} levels"
        return _Nothing(Reason.INVALID_JSON, expected, "nested too deeply", readings_in(raw))
    return None


def _whole_refused(
    partition: int, offset: int, reason: Reason, expected: str, found: str, readings: int
) -> Refusal:
    return Refusal(partition, offset, WHOLE_MESSAGE, reason, "", expected, found, readings)


def _is_too_deep(raw: bytes) -> bool:
    # Few brackets, as nearly always, cannot be many levels.
    return raw.count(b"{") + raw.count(b"[") > MAX_NESTING and nesting(as_bytes(raw)) > MAX_NESTING


def _suspects(joined: bytes, named: Sequence[bytes]) -> set[int]:
    """Which messages may hold what no parser tells: too many digits, or a NUL in disguise."""
    suspects = set[int]()
    if b"\\u0000" in joined:
        suspects.update(number for number, message in enumerate(named) if b"\\u0000" in message)
    places = long_numbers(as_bytes(joined))
    if len(places):
        ends = np.cumsum(np.fromiter(map(len, named), np.int64, len(named)) + 1)
        suspects.update(np.searchsorted(ends, places - 1, side="right").tolist())
    return suspects


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and text.isascii() and not parse_uuids(as_bytes(text.encode()))[1][0]


def _wrong_upload_id(partition: int, offset: int, upload: WireUpload) -> Refusal:
    return Refusal(
        partition=partition,
        offset=offset,
        position=WHOLE_MESSAGE,
        reason=Reason.INVALID_FIELD,
        field="upload_id",
        expected="a UUID of 36 characters",
        found=shown(upload["upload_id"]),
        readings=len(upload["readings"]),
    )
