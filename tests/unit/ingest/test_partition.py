"""A patient's messages go where every other Kafka client would send them."""

from uuid import UUID

import numpy as np
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.keys import key_of, partition_of, partitions_of


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.uuids(), min_size=1, max_size=20), st.integers(1, 200))
def test_the_partition_is_that_of_the_default_partitioner(patients: list[UUID], partitions: int) -> None:
    every = list(range(partitions))
    expected: list[int] = [DefaultPartitioner()(key_of(patient), every, every) for patient in patients]
    assert [partition_of(patient, partitions) for patient in patients] == expected
    assert [partition_of(str(patient).upper(), partitions) for patient in patients] == expected
    ids = np.frombuffer(b"".join(patient.bytes for patient in patients), np.uint8).reshape(-1, 16)
    assert partitions_of(ids, partitions).tolist() == expected
