"""What was polled is worked on in pieces that fit, and nothing twice."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.batches import awaited, bounded
from tests.wire import Message

polled = st.dictionaries(
    st.integers(0, 3),
    st.lists(st.none() | st.binary(max_size=12), min_size=1, max_size=8).map(
        lambda values: [Message(offset, value) for offset, value in enumerate(values)]
    ),
    max_size=3,
)


@given(polled, st.integers(1, 40))
def test_batches_hold_all_records_in_order_and_few_bytes(
    given_records: dict[int, list[Message]], most: int
) -> None:
    batches = list(bounded(given_records, most))
    together: dict[int, list[Message]] = {}
    for batch in batches:
        sizes = [len(record.value or b"") for records in batch.values() for record in records]
        assert sum(sizes) <= most or len([size for size in sizes if size]) == 1
        assert all(batch.values())
        for partition, records in batch.items():
            together.setdefault(partition, []).extend(records)
    assert together == given_records


def test_only_what_is_in_use_and_new_is_taken() -> None:
    records = [Message(offset, b"") for offset in range(5, 9)]
    batch = {0: records, 1: records, 2: records, 3: records}
    assert awaited(batch, {0: 5, 1: 7, 2: 9}) == {0: records, 1: records[2:]}
    assert awaited(batch, {0: 0}) == {0: records}
