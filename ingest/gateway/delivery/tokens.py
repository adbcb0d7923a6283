"""Tokens at the front gate, for who comes with a key: where it has an address for which they can sign."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from fastapi import APIRouter

from ingest.gateway.configuration import ApiSettings, own_address
from ingest.gateway.login.door import Door
from ingest.gateway.login.token import PATH, make_token
from models.db.pool import connected
from models.settings import Settings

VARIABLE = "THUISWACHT_GATEWAY_PUBLIC_URL"
NO_TOKENS: Mapping[str, APIRouter] = MappingProxyType({})


@asynccontextmanager
async def giving_tokens(settings: Settings) -> AsyncGenerator[Mapping[str, APIRouter]]:
    """The address at which tokens are given, and what answers there; none without an address of our own.

    **Raises**: RefuseToStart for an address that is none, or not a safe one.
    """
    if settings.gateway_public_url is None:
        yield {}
        return
    configuration = ApiSettings(
        own_address(settings.gateway_public_url, VARIABLE), None, local_accounts=False
    )
    async with connected(
        settings.postgres_dsn, role="thuiswacht_login", application="thuiswacht-gateway-tokens", max_size=2
    ) as login:
        yield {PATH: make_token(Door(login, configuration))}
