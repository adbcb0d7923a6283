"""Keys from PEM: which ones are taken."""

import warnings

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from ingest.gateway.login.tokens import AsymmetricKey, algorithms_of
from models.errors import BadInput

EXPECTED = "an RSA key of at least 2048 bits, or one on P-256, P-384, P-521 or Ed25519"


def public_key_from_pem(pem: str) -> AsymmetricKey:
    """A public key; of a private one too, its public half alone. **Raises**: BadInput."""
    key = _from_pem(pem)
    return type(key).import_key(key.as_pem(private=False))


def private_key_from_pem(pem: str) -> AsymmetricKey:
    """A private key. **Raises**: BadInput."""
    key = _from_pem(pem)
    if not key.is_private:
        raise BadInput(where="key", expected="a private key", found="a public one")
    return key


def public_pem(key: AsymmetricKey) -> str:
    """The public half, as it is stored."""
    return key.as_pem(private=False).decode()


def _from_pem(pem: str) -> AsymmetricKey:
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            with warnings.catch_warnings(action="ignore", category=SecurityWarning):
                key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
        if algorithms_of(key):
            return key
    raise BadInput(where="key", expected=EXPECTED, found="something else")
