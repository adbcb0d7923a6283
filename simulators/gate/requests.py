"""What goes to the front gate at once: uploads as they were made for the log, in a format of the gate."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from models.clock import DAY_US
from models.messages import LATE_LIMIT_US, WireUpload
from simulators.gate.fhir import bundle, is_said, observations
from simulators.wire import Message

FHIR_PATH, PLAIN_PATH = "/fhir", "/v1/uploads"
MOST_READINGS = 400
"""In one request; a home sends a handful, who was offline for days a hundred."""


_EARLY_US = LATE_LIMIT_US - DAY_US


class Format(StrEnum):
    """In what uploads are written."""

    FHIR = "fhir"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Part:
    """An upload within a request, and its entries there: how many readings has each."""

    message: Message
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One body and where it goes. **Units**: `at_us`, when the last of it came in, in simulated time."""

    path: str
    content_type: str
    body: bytes
    parts: tuple[Part, ...]
    at_us: int


def requests_of(messages: Sequence[Message], form: Format) -> Iterator[Request]:
    """Uploads of any patients, in their order, as few requests as may be.

    What broke on the way goes as it is, alone. What Observations cannot say goes as plain JSON. What is
    judged by the moment of its receipt goes alone too: a request has one such moment.
    """
    together = _Together()
    for message in messages:
        upload = _whole(message)
        used = Format.JSON if upload is None or not is_said(upload) else form
        if upload is None or used is not form or _is_odd(upload, message.at_us):
            yield from _made(together.taken(), form)
            yield from [_torn(message)] if upload is None else _made([(message, upload)], used)
            continue
        if not together.fits(message, upload):
            yield from _made(together.taken(), form)
        together.add(message, upload)
    yield from _made(together.taken(), form)


class _Together:
    """Uploads that go in one request: not too much, and no reading twice.

    Of two entries of a Bundle for the same Observation only one is carried out.
    """

    def __init__(self) -> None:
        self._uploads: list[tuple[Message, WireUpload]] = []
        self._readings = 0
        self._seen = set[tuple[str, str, str, int]]()

    def fits(self, message: Message, upload: WireUpload) -> bool:
        """Whether another may go with them; the first always."""
        is_small = self._readings + message.readings <= MOST_READINGS
        return not self._uploads or (is_small and self._seen.isdisjoint(_identities(upload)))

    def add(self, message: Message, upload: WireUpload) -> None:
        """One more."""
        self._uploads.append((message, upload))
        self._readings += message.readings
        self._seen |= _identities(upload)

    def taken(self) -> list[tuple[Message, WireUpload]]:
        """All of them; then there are none."""
        uploads, self._uploads, self._readings, self._seen = self._uploads, [], 0, set()
        return uploads


def plain(upload: WireUpload) -> dict[str, Any]:
    """An upload as plain JSON: without what the gate says of it itself."""
    return {name: upload[name] for name in ("upload_id", "patient_id", "device_id", "sent_at_us", "readings")}


def _is_odd(upload: WireUpload, at_us: int) -> bool:
    """Whether it was measured after it came in, or so long before that it may be too late."""
    taken_us = [reading["taken_at_us"] for reading in upload["readings"]]
    return max(taken_us) > at_us or min(taken_us) < at_us - _EARLY_US


def _identities(upload: WireUpload) -> set[tuple[str, str, str, int]]:
    return {
        (upload["patient_id"], upload["device_id"], one["kind"], one["taken_at_us"])
        for one in upload["readings"]
    }


def _made(together: Sequence[tuple[Message, WireUpload]], form: Format) -> Iterator[Request]:
    if not together:
        return
    at_us = max(message.at_us for message, _ in together)
    if form is Format.JSON:
        parts = tuple(Part(message, (message.readings,)) for message, _ in together)
        content: Any = [plain(upload) for _, upload in together]
        yield Request(PLAIN_PATH, "application/json", _bytes(content), parts, at_us)
        return
    made = [(message, observations(upload)) for message, upload in together]
    parts = tuple(Part(message, tuple(map(_readings, resources))) for message, resources in made)
    content = bundle([resource for _, resources in made for resource in resources])
    yield Request(FHIR_PATH, "application/fhir+json", _bytes(content), parts, at_us)


def _readings(observation: dict[str, Any]) -> int:
    return len(observation.get("component", [observation]))


def _torn(message: Message) -> Request:
    return Request(
        PLAIN_PATH, "application/json", message.value, (Part(message, (message.readings,)),), message.at_us
    )


def _whole(message: Message) -> WireUpload | None:
    try:
        upload: WireUpload = json.loads(message.value)
    except ValueError:
        return None
    return upload


def _bytes(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
