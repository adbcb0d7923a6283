"""Puts rules and passwords of users into the broker, as whoever may do that."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Self

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import (
    CreateAclsRequest,
    DeleteAclsRequest,
    DescribeAclsRequest,
)

from ingest.broker.rules import Entry
from ingest.broker.scram import SHA_512, AlterScramRequest, Upsertion
from ingest.log import connection_options
from models.errors import NotAllowed, TryAgain
from models.settings import Settings

ITERATIONS = 8_192
_ANY = 1


class Broker:
    """A connection to the broker that lists and changes who may do what.

    **Raises**: TryAgain when the broker is away; NotAllowed when whoever asks may not ask that.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = AIOKafkaClient(**connection_options(settings), request_timeout_ms=10_000)

    async def __aenter__(self) -> Self:
        try:
            await self._client.bootstrap()
        except (KafkaError, OSError) as error:
            await self._client.close()
            raise self._away(error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def entries(self) -> list[Entry]:
        """Every entry that the broker has."""
        answer = await self._ask(DescribeAclsRequest(_ANY, _NOTHING, _ANY, _NOTHING, _NOTHING, _ANY, _ANY))
        self._require(answer.error_code, answer.error_message)
        return [
            Entry(principal, resource, name, operation, pattern, permission, host)
            for resource, name, pattern, entries in answer.resources
            for principal, host, operation, permission in entries
        ]

    async def add(self, entries: Iterable[Entry]) -> None:
        """Adds entries; those that are there already stay as they are."""
        for one in entries:
            answer = await self._ask(CreateAclsRequest(*_parts(one)))
            for code, message in answer.creation_responses:
                self._require(code, message)

    async def remove(self, entries: Iterable[Entry]) -> None:
        """Removes exactly these."""
        for one in entries:
            answer = await self._ask(DeleteAclsRequest(*_parts(one)))
            for code, message, _ in answer.filter_responses:
                self._require(code, message)

    async def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Makes users, or gives them another password; whoever is connected stays so (SCRAM-SHA-512)."""
        wanted = [_upsertion(user, password) for user, password in passwords.items()]
        answer = await self._ask(AlterScramRequest(wanted))
        for _, code, message, _ in answer.results:
            self._require(code, message)

    async def _ask(self, request: Any) -> Any:
        try:
            # Its types are said by halves.
            client: Any = self._client
            node = client.get_random_node()
            await client.ready(node)
            answer: Any = await client.send(node, request)
        except (KafkaError, OSError) as error:
            raise self._away(error) from error
        return answer

    def _require(self, code: int, message: str | None) -> None:
        if code:
            name = for_code(code).__name__
            raise NotAllowed(f"The broker at {self._settings.kafka} refused that: {name}. {message or ''}")

    def _away(self, error: Exception) -> TryAgain:
        return TryAgain(f"Kafka at {self._settings.kafka} is away ({type(error).__name__}).")


_NOTHING: Any = None


def _parts(entry: Entry) -> tuple[int, str, int, str, str, int, int]:
    return (
        entry.resource,
        entry.name,
        entry.pattern,
        entry.principal,
        entry.host,
        entry.operation,
        entry.permission,
    )


def _upsertion(user: str, password: str) -> Upsertion:
    salt = secrets.token_bytes(32)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode("ascii"), salt, ITERATIONS)
    return (user, SHA_512, ITERATIONS, salt, salted, {})
