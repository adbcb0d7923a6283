"""Patients with a device on loan, a system that may deliver for them, and how it gets its token."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from benchmarks.gateway.requests import Home
from ingest.log import Writer
from models.clock import SECOND_US, wall_now_us
from models.db.pool import Connection
from models.messages import SCHEMA
from models.settings import Settings

HOSPITAL = UUID("00000000-0000-4000-8000-0000000000b1")
_NAMES = UUID("00000000-0000-4000-8000-0000000000b2")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_HOSPITAL = """
INSERT INTO organisation VALUES ($1, 'Ziekenhuis', 'hospital', 'simulated') ON CONFLICT DO NOTHING
"""
_HOMES = """
WITH home AS (
    SELECT patient_id, device_id FROM unnest($2::uuid[], $3::text[]) AS h (patient_id, device_id)
), registered AS (
    INSERT INTO registration (patient_id, organisation_id, origin)
    SELECT patient_id, $1, 'simulated' FROM home RETURNING patient_id
), care AS (
    INSERT INTO patient_care (patient_id, organisation_id, version)
    SELECT patient_id, $1, 1 FROM home
), treated AS (
    INSERT INTO treatment_relation (patient_id, organisation_id, from_at)
    SELECT patient_id, $1, now() - interval '100 days' FROM home
)
INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at)
    SELECT patient_id, $1, device_id, 'monitor', now() - interval '100 days' FROM home
"""


def homes_of(number: int, first: int = 0) -> list[Home]:
    """Who they are: always the same ones."""
    return [
        Home(uuid5(_NAMES, f"home {place}"), f"monitor-{place}") for place in range(first, first + number)
    ]


async def settle(admin: Connection, settings: Settings, homes: Sequence[Home]) -> None:
    """Registers them, in the database and in the log, as the register would have."""
    await admin.execute(_HOSPITAL, HOSPITAL)
    patients, devices = [home.patient_id for home in homes], [home.device_id for home in homes]
    await admin.execute(_HOMES, HOSPITAL, patients, devices)
    async with Writer(settings) as writer:
        await writer.write_many([(home.patient_id, _registration(home)) for home in homes])


def new_key(folder: Path) -> tuple[ECKey, Path]:
    """A key pair, and the file of its public part."""
    key = ECKey.generate_key("P-256")
    file = folder / "system.pem"
    file.write_bytes(key.as_pem(private=False))
    return key, file


def token_of(gate: str, client_id: str, key: ECKey) -> str:
    """What a system gets for its signature, for ten minutes."""
    answer = ask_token(gate, client_id, key)
    answer.raise_for_status()
    given: dict[str, Any] = answer.json()
    return str(given["access_token"])


def ask_token(gate: str, client_id: str, key: ECKey, **changed: Any) -> httpx.Response:
    """Asks for one; `changed`: claims that are otherwise than they should be."""
    now_s = wall_now_us() // SECOND_US
    claims = {
        "iss": client_id, "sub": client_id, "aud": f"{gate}/token", "jti": secrets.token_hex(16),
        "iat": now_s, "exp": now_s + 60,
    }  # fmt: skip
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": jwt.encode({"alg": "ES256"}, claims | changed, key),
    }
    return httpx.post(f"{gate}/token", data=form, timeout=20.0)


def _registration(home: Home) -> bytes:
    content = {
        "schema": SCHEMA,
        "type": "change",
        "change_id": str(uuid5(_NAMES, f"registered {home.patient_id}")),
        "patient_id": str(home.patient_id),
        "valid_from_us": 0,
        "change": {"register": {"origin": "simulated", "organisation_id": str(HOSPITAL)}},
    }
    return json.dumps(content, separators=(",", ":")).encode()
