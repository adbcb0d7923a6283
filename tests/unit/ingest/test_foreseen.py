"""What the front gate foresaw is known by its header, and by nothing else."""

from dataclasses import dataclass, field

from ingest.foreseen import MARK, foreseen_in
from tests.wire import log


@dataclass
class Marked:
    offset: int
    value: bytes | None = b""
    headers: tuple[tuple[str, bytes], ...] = field(default=())


def test_marked_messages_are_found_by_their_offsets() -> None:
    records = [Marked(3), Marked(4, headers=(MARK,)), Marked(5, headers=(("another", b"1"), MARK))]
    assert foreseen_in(records) == {4, 5}
    assert foreseen_in(log(b"", b"")) == frozenset()
