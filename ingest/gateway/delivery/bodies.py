"""Bodies of requests, whole and unpacked: within limits of size and time, and of a type that is read here."""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from ingest.delivery.content import Code, Fault
from ingest.delivery.strict import Unreadable
from ingest.delivery.unpacking import ENCODINGS, TooLarge, unpack
from ingest.gateway.problems import Problem

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Unpacked, and packed as well."""

SLOWEST_S = 10.0
"""After so long a body has to be here: the slowest line that homes have has sent some readings by then."""

LARGE_BYTES = 128 * 1024
"""Larger ones are unpacked and read beside the others, few at a time, so that small ones need not wait."""

NDJSON = ("application/x-ndjson", "application/ndjson")
JSON = ("application/json", "application/fhir+json")
_BODY = "thuiswacht.body"
_FEW = ThreadPoolExecutor(2, "large-bodies")
Done = TypeVar("Done")


class Refused(Problem):
    """A body that is not taken: why, in a word for programs (`fault`) and in a sentence for people."""

    def __init__(self, status: int, fault: Fault) -> None:
        super().__init__(
            f"{fault.where}: expected {fault.expected}, found {fault.found}.",
            headers={"Connection": "close"} if status == HTTPStatus.REQUEST_TIMEOUT else None,
            errors=[as_told(fault)],
        )
        self.status = HTTPStatus(status)
        self.fault = fault


def as_told(fault: Fault) -> dict[str, str]:
    """A fault as who sent it reads it."""
    return {
        "where": fault.where, "expected": fault.expected, "found": fault.found, "code": fault.code.value,
    }  # fmt: skip


def refused(error: Unreadable) -> Refused:
    """What is answered to a body that cannot be read."""
    return Refused(413 if error.fault.code is Code.TOO_LONG else 400, error.fault)


async def read_body(request: Request, types: Collection[str] = (*JSON, *NDJSON)) -> bytes:
    """The body, unpacked; read once, however often it is asked for: who checks a signature asks first.

    **Raises**: Refused: 400 not what it says, 408 too slow, 413 too large, 415 of no type that is read here.
    """
    _require_type(request, types)
    known: bytes | None = request.scope.get(_BODY)
    if known is not None:
        return known
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ENCODINGS:
        expected = f"no Content-Encoding, or one of {', '.join(ENCODINGS)}"
        raise Refused(415, Fault("Content-Encoding", expected, encoding[:40], Code.NOT_SUPPORTED))
    raw = await _read(request)
    try:
        body = await aside(partial(unpack, raw, encoding, MAX_BODY_BYTES), len(raw))
    except TooLarge:
        raise _too_large("more when it is unpacked") from None
    except Unreadable as error:
        raise refused(error) from None
    request.scope[_BODY] = body
    return body


async def _read(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        raise _too_large(f"{length[:20]} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST_S):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY_BYTES:
                    raise _too_large("more")
    except TimeoutError:
        fault = Fault("body", f"the whole of it within {SLOWEST_S:g} seconds", "a part of it", Code.TOO_LONG)
        raise Refused(408, fault) from None
    except ClientDisconnect:
        raise Refused(400, Fault("body", "the whole of it", "a part of it", Code.STRUCTURE)) from None
    return bytes(body)


async def aside(work: Callable[[], Done], size: int) -> Done:
    """Work on a body of this size: in a thread of its own where it is large, and then few at a time."""
    if size <= LARGE_BYTES:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_FEW, work)


def media_type(request: Request) -> str:
    """The type of what is sent, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _require_type(request: Request, types: Collection[str]) -> None:
    found = media_type(request)
    if found not in types:
        fault = Fault("Content-Type", " or ".join(types), found[:80] or "none", Code.NOT_SUPPORTED)
        raise Refused(415, fault)
    charset = request.headers["content-type"].lower().partition("charset=")[2].strip(" \"';")
    if charset not in ("", "utf-8", "utf8"):
        raise Refused(415, Fault("Content-Type", "charset=utf-8, or none", charset[:40], Code.NOT_SUPPORTED))


def _too_large(found: str) -> Refused:
    return Refused(413, Fault("body", f"at most {MAX_BODY_BYTES} bytes", found, Code.TOO_LONG))
