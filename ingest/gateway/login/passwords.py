"""Passwords and time-based codes of local accounts."""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pyotp import random_base32
from pyotp.totp import TOTP

from models.clock import SECOND_US

SHORTEST = 12
LONGEST = 200
STEP_S = 30

# OWASP's second choice for argon2id: 19 MiB, two passes, so that a few at once do not fill the machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
NOBODY = _HASHER.hash(secrets.token_urlsafe())
"""Checked where there is no such account, so that it takes as long."""


def hash_password(password: str) -> str:
    """The password as it is stored (argon2id)."""
    return _HASHER.hash(_normal(password))


def is_password(hashed: str, password: str) -> bool:
    """Whether the password is the one that was hashed; takes some 20 ms, for nobody's event loop."""
    try:
        return len(password) <= LONGEST and _HASHER.verify(hashed, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def step_of(secret: str, code: str, now_us: int) -> int | None:
    """The time step whose code this is: the present one, or the one before or after it; None for none.

    >>> secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    >>> step_of(secret, TOTP(secret).at(90), 100 * SECOND_US)
    3
    """
    now = now_us // SECOND_US // STEP_S
    totp = TOTP(secret)
    found = None
    for step in (now - 1, now, now + 1):
        # All are compared, whichever matches.
        if secrets.compare_digest(totp.at(step * STEP_S).encode(), code.encode()):
            found = step
    return found


def new_totp_secret() -> str:
    """A secret of 160 bits, as apps take it."""
    return random_base32(32)


def otpauth(secret: str, account: str) -> str:
    """What an app scans."""
    return TOTP(secret).provisioning_uri(name=account, issuer_name="Thuiswacht (trial)")


def _normal(password: str) -> str:
    # So that the same password typed on another keyboard is the same.
    return unicodedata.normalize("NFKC", password)
