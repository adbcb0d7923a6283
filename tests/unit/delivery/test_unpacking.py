"""What was packed comes out whole, or not at all; never more than the limit."""

import gzip
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.strict import Unreadable
from ingest.delivery.unpacking import TooLarge, unpack

PACK = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
LIMIT = 1 << 20


@pytest.mark.parametrize("encoding", PACK)
@given(st.binary(max_size=5_000))
def test_what_was_packed_comes_out(encoding: str, content: bytes) -> None:
    assert unpack(PACK[encoding](content), encoding, LIMIT) == content


@pytest.mark.parametrize("encoding", PACK)
@given(st.lists(st.binary(max_size=100), min_size=2, max_size=4))
def test_several_one_behind_the_other_are_one(encoding: str, contents: list[bytes]) -> None:
    packed = b"".join(map(PACK[encoding], contents))
    assert unpack(packed, encoding, LIMIT) == b"".join(contents)


@pytest.mark.parametrize("encoding", PACK)
def test_what_is_cut_off_is_refused_wherever_it_was_cut(encoding: str) -> None:
    packed = PACK[encoding](b"81.4 kg" * 50)
    for length in range(len(packed)):
        with pytest.raises(Unreadable):
            unpack(packed[:length], encoding, LIMIT)


@pytest.mark.parametrize("encoding", PACK)
@given(st.binary(max_size=300))
def test_what_is_something_else_is_refused(encoding: str, content: bytes) -> None:
    for raw in (content, PACK[encoding](b"1") + b"x" + content):
        with pytest.raises(Unreadable):
            unpack(raw, encoding, LIMIT)


@pytest.mark.parametrize("encoding", [*PACK, "identity"])
def test_as_much_as_the_limit_comes_out_and_not_a_byte_more(encoding: str) -> None:
    pack = PACK.get(encoding, bytes)
    assert len(unpack(pack(bytes(LIMIT)), encoding, LIMIT)) == LIMIT
    with pytest.raises(TooLarge):
        unpack(pack(bytes(LIMIT + 1)), encoding, LIMIT)


def test_bombs_are_cut_off() -> None:
    stream = zlib.compressobj(9, wbits=31)
    bomb = b"".join(stream.compress(bytes(1 << 24)) for _ in range(16)) + stream.flush()
    with pytest.raises(TooLarge):
        unpack(bomb, "gzip", LIMIT)
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    bomb = b"".join(packer.compress(bytes(1 << 24)) for _ in range(16)) + packer.flush()
    with pytest.raises(TooLarge):
        unpack(bomb, "zstd", LIMIT)


def test_a_window_that_takes_too_much_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    raw = packed.compress(b"81.4") + packed.flush()
    with pytest.raises(Unreadable):
        unpack(raw, "zstd", LIMIT)
