"""gzip and zstd, unpacked as far as a limit and no further: a bomb is cut off, whatever it says of itself."""

import zlib
from collections.abc import Callable, Mapping

import zstandard

from ingest.delivery.content import Code, Fault
from ingest.delivery.strict import Unreadable

# A block of zstd has four bytes or more and becomes 128 KiB at most: a step stays below 16 MiB.
_STEP_BYTES = 512
_LARGEST_WINDOW_BYTES = 8 * 1024 * 1024
_GZIP_ONLY = 16 + zlib.MAX_WBITS


class TooLarge(Exception):
    """More than the limit comes out of it."""


def unpack(raw: bytes, encoding: str, limit: int) -> bytes:
    """What was packed by `encoding`, one of `ENCODINGS`.

    **Raises**: TooLarge where more than `limit` bytes come out; Unreadable where it is not what it says.
    """
    return ENCODINGS[encoding](raw, limit)


def _as_it_is(raw: bytes, limit: int) -> bytes:
    if len(raw) > limit:
        raise TooLarge
    return raw


def _gunzip(raw: bytes, limit: int) -> bytes:
    unpacked = bytearray()
    rest = raw
    # A gzip file may consist of several, one behind the other; an empty one is none.
    while rest or not unpacked:
        stream = zlib.decompressobj(_GZIP_ONLY)
        try:
            unpacked += stream.decompress(rest, limit + 1 - len(unpacked))
        except zlib.error:
            raise _broken("gzip") from None
        if len(unpacked) > limit:
            raise TooLarge
        if not stream.eof:
            raise _broken("gzip")
        if not stream.unused_data:
            break
        rest = stream.unused_data
    return bytes(unpacked)


def _unzstd(raw: bytes, limit: int) -> bytes:
    unpacked = bytearray()
    decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW_BYTES)
    stream = decompressor.decompressobj()
    try:
        for at in range(0, len(raw), _STEP_BYTES):
            rest = raw[at : at + _STEP_BYTES]
            while rest:
                if stream.eof:
                    stream = decompressor.decompressobj()
                unpacked += stream.decompress(rest)
                if len(unpacked) > limit:
                    raise TooLarge
                rest = stream.unused_data if stream.eof else b""
    except zstandard.ZstdError:
        raise _broken("zstd") from None
    if not stream.eof:
        raise _broken("zstd")
    return bytes(unpacked)


def _broken(what: str) -> Unreadable:
    return Unreadable(
        Fault("body", f"whole {what}, as Content-Encoding says", "something else", Code.STRUCTURE)
    )


ENCODINGS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "identity": _as_it_is, "gzip": _gunzip, "x-gzip": _gunzip, "zstd": _unzstd,
}  # fmt: skip
"""What Content-Encoding may say."""
