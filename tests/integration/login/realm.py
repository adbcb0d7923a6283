"""The organisation at whose OpenID provider the tests log in."""

import json
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from simulators.identity import Member, Realm

OURS, THEIRS = UUID(int=1), UUID(int=2)
CLIENT_ID, CLIENT_SECRET = "thuiswacht", "a secret of tests: with + and /"
ADMIN_PASSWORD = "of a server that lives for minutes"


def member(name: str, *roles: str, organisations: tuple[str, ...] = (str(OURS),)) -> Member:
    return Member(name, f"password of {name}", f"{name:x<20}"[:20], roles, organisations)


NURSE = member("nurse", "nurse")
CHANGING = member("changing", "nurse", "coordinator")
STRANGER = member("stranger", "gardener")
HOMELESS = member("homeless", "nurse", organisations=(str(UUID(int=77)),))
# The same key each time, so that the realm is made once; it opens nothing but this realm.
CLIENT_KEY = (
    derive_private_key(4_711, SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
_public = ECKey.import_key(CLIENT_KEY).as_dict(private=False) | {"use": "sig", "alg": "ES256"}

REALM = Realm(
    "zorg",
    CLIENT_ID,
    CLIENT_SECRET,
    (NURSE, CHANGING, STRANGER, HOMELESS),
    redirect_uris=("https://thuiswacht.test/*", "http://127.0.0.1/*"),
    signing_client="thuiswacht-signed",
    signing_jwks=json.dumps({"keys": [_public]}),
)
