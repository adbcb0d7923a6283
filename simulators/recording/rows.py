"""Messages as rows of a recording, and the canonical bytes of an upload: what columns tell without loss."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from alerting.offline.arrow import arrow as pa
from alerting.recording.layout import ROWS, Type
from ingest.clock import tick
from models.messages import SCHEMA, WireReading, WireUpload

_NOTHING = (None,) * 17
"""A row's columns from `kind` to `received_at`, of what is no reading."""


class Rows:
    """Rows that are collected until there are enough of them; `messages` counts all there ever were."""

    def __init__(self, messages: int = 0) -> None:
        self.messages = messages
        self._rows: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add_upload(self, upload: WireUpload, raw: bytes | None) -> None:
        """An upload; `raw`: its bytes, where the columns do not tell them."""
        number = self.messages
        envelope = (
            upload["device_id"],
            upload["source"],
            UUID(upload["upload_id"]).bytes,
            upload["sent_at_us"],
            upload["received_at_us"],
            None,
            None,
        )
        for reading in upload["readings"]:
            self._rows.append(
                (number, Type.UPLOAD.value, upload["patient_id"], *_columns_of(reading), *envelope, raw)
            )
            raw = None
        self.messages += 1

    def add_change(self, patient_id: str, content: str) -> None:
        """A change, as the text of its message."""
        self._add(Type.CHANGE, patient_id, None, content, None)

    def add_tick(self, now_us: int, raw: bytes | None = None) -> None:
        """A tick of the clock; `raw` where it was written in another way than ours."""
        self._add(Type.CLOCK, None, now_us, None, raw)

    def add_refused(self, key: str | None, raw: bytes) -> None:
        """A message that was refused as a whole; `key`: of whom it was, where that is known."""
        self._add(Type.REFUSED, key, None, None, raw)

    def table(self) -> Any:
        """All of them, as the columns of the file."""
        columns = zip(*self._rows, strict=True)
        return pa.table(
            [_array(list(column), of.type) for column, of in zip(columns, ROWS, strict=True)], schema=ROWS
        )

    def _add(
        self, kind: Type, patient_id: str | None, now_us: int | None, content: str | None, raw: bytes | None
    ) -> None:
        self._rows.append((self.messages, kind.value, patient_id, *_NOTHING, now_us, content, raw))
        self.messages += 1


def _columns_of(reading: WireReading) -> tuple[Any, ...]:
    get = reading.get
    return (
        reading["kind"],
        reading["taken_at_us"],
        get("value"),
        get("unit"),
        get("code"),
        get("absent"),
        get("text"),
        get("void"),
        get("revision"),
        get("group"),
        get("code_received"),
        get("utc_offset_min"),
    )


def _array(values: list[Any], of: Any) -> Any:
    if pa.types.is_dictionary(of):
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, of)


def upload_message(upload: WireUpload) -> bytes:
    """The bytes of an upload in the order of fields in which simulators write it."""
    readings = ",".join(map(_reading_text, upload["readings"]))
    return (
        f'{{"schema":{SCHEMA},"type":"upload","upload_id":{_text(upload["upload_id"])},'
        f'"patient_id":{_text(upload["patient_id"])},"device_id":{_text(upload["device_id"])},'
        f'"source":{_text(upload["source"])},"sent_at_us":{upload["sent_at_us"]},'
        f'"received_at_us":{upload["received_at_us"]},"readings":[{readings}]}}'
    ).encode()


def _reading_text(reading: WireReading) -> str:
    get = reading.get
    parts = [f'"kind":{_text(reading["kind"])}']
    value = get("value")
    if value is not None:
        parts.append(f'"value":{value:.15g}')
    parts += [
        f'"{name}":{_text(get(name))}' for name in ("unit", "code", "absent", "text") if name in reading
    ]
    if "void" in reading:
        parts.append('"void":true')
    parts.append(f'"taken_at_us":{reading["taken_at_us"]}')
    if get("revision"):
        parts.append(f'"revision":{get("revision")}')
    parts += [f'"{name}":{_text(get(name))}' for name in ("group", "code_received") if name in reading]
    if "utc_offset_min" in reading:
        parts.append(f'"utc_offset_min":{reading["utc_offset_min"]}')
    return "{" + ",".join(parts) + "}"


@lru_cache(maxsize=100_000)
def _text(text: object) -> str:
    return json.dumps(text, ensure_ascii=False)


READING = ROWS.names[3:15]
"""The columns of a reading, in their order."""
_FIELDS = {"taken_at": "taken_at_us"}


def reading_of(values: Sequence[Any]) -> WireReading:
    """A reading from its columns, `READING`; what is not there is left out."""
    reading: Any = {
        _FIELDS.get(name, name): value
        for name, value in zip(READING, values, strict=True)
        if value is not None
    }
    return reading


def tick_message(now_us: int) -> bytes:
    """The bytes of a tick, as the clock writes them."""
    return tick(now_us)
