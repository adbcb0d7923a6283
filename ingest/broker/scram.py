"""The request that sets users' passwords, which aiokafka does not bring (KIP-554).

**Source**: Apache Kafka 4.3, clients/src/main/resources/common/message/AlterUserScramCredentials*.json.
"""

from collections.abc import Sequence
from typing import TypeAlias

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

SHA_512 = 2
"""The number of SCRAM-SHA-512."""

Upsertion: TypeAlias = tuple[str, int, int, bytes, bytes, dict[int, bytes]]
"""User, mechanism, iterations, salt, salted password, tags."""


class AlterScramResponse(Response):
    """What came of it, for each user."""

    # As aiokafka's own responses say it, which it declares to be properties.
    API_KEY = 51  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    API_VERSION = 0  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterScramStruct(RequestStruct):
    """The request on the wire."""

    FLEXIBLE_VERSION = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = AlterScramResponse
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterScramRequest(Request[AlterScramStruct]):
    """Makes users, or gives them other passwords."""

    API_KEY = 51

    def __init__(self, upsertions: Sequence[Upsertion]) -> None:
        self._upsertions = upsertions

    def build(self, request_struct_class: type[AlterScramStruct]) -> AlterScramStruct:
        """As aiokafka asks for it."""
        return request_struct_class([], self._upsertions, {})
