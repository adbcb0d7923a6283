"""The organisation at whose OpenID provider the tests log in."""

from uuid import UUID

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

REALM = Realm(
    "zorg",
    CLIENT_ID,
    CLIENT_SECRET,
    (NURSE, CHANGING, STRANGER, HOMELESS),
    redirect_uris=("https://thuiswacht.test/*", "http://127.0.0.1/*"),
)
