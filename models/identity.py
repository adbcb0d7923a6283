"""Who a patient is: name, birth date, national number, whom to ring; and how that is sealed and found again.

What is kept is sealed with AES-256-GCM and bound to its patient: copied to another patient's row it does not
open. It is found by keyed digests (blind indexes), which tell nothing to who has no key.
"""

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Literal
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field

from models.bsn import Bsn
from models.errors import Broken

NONCE_BYTES = 12
KEY_BYTES = 32


class _Part(BaseModel):
    # What is in here never shows itself: not in a repr, not in an error.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class Contact(_Part):
    """Somebody around the patient. `may_be_told`: the patient permits that they hear how things are."""

    name: str = Field(min_length=1, max_length=200)
    relation: Literal["mantelzorger", "contact"] = "contact"
    phone: str | None = Field(default=None, max_length=40)
    may_be_told: bool = False


class Identity(_Part):
    """A patient as a person."""

    family_name: str = Field(min_length=1, max_length=200)
    given_names: str = Field(default="", max_length=200)
    birth_date: date
    bsn: Bsn | None = None
    without_bsn: str | None = Field(default=None, max_length=200)
    """Why there is no number: a tourist, a newborn."""
    phone: str | None = Field(default=None, max_length=40)
    contacts: tuple[Contact, ...] = Field(default=(), max_length=10)

    @property
    def mantelzorger_may_be_told(self) -> bool:
        """Whether the patient permits that a *mantelzorger* hears how they are."""
        return any(one.relation == "mantelzorger" and one.may_be_told for one in self.contacts)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An identity as it is stored: `sealed` is nonce and ciphertext; the digests find it again."""

    sealed: bytes
    key_id: str
    bsn_digest: bytes | None
    name_digest: bytes


class Keys:
    """The keys that one secret of 32 bytes gives: one to seal, one to find; `key_id` tells secrets apart."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(_derived(secret, b"thuiswacht.identity.seal"))
        self._index = _derived(secret, b"thuiswacht.identity.index")
        self.key_id = _derived(secret, b"thuiswacht.identity.key_id")[:4].hex()

    def seal(self, patient_id: UUID, identity: Identity, nonce: bytes) -> Sealed:
        """**Shape**: `nonce` is 12 bytes that were never used before with this key."""
        plain = identity.model_dump_json(exclude_defaults=True).encode()
        return Sealed(
            sealed=nonce + self._cipher.encrypt(nonce, plain, patient_id.bytes),
            key_id=self.key_id,
            bsn_digest=None if identity.bsn is None else self.bsn_digest(identity.bsn),
            name_digest=self.name_digest(identity.family_name, identity.birth_date),
        )

    def open(self, patient_id: UUID, sealed: bytes, key_id: str) -> Identity:
        """**Raises**: Broken when it was sealed with another key, for another patient, or was changed."""
        if key_id != self.key_id:
            raise Broken(
                f"An identity was sealed with key {key_id}, ours is {self.key_id}: set "
                "THUISWACHT_IDENTITY_KEY to the secret that this database was begun with."
            )
        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, ciphertext, patient_id.bytes)
        except InvalidTag:
            raise Broken(
                f"The identity of patient {patient_id} does not open: its row was changed."
            ) from None
        return Identity.model_validate_json(plain)

    def bsn_digest(self, bsn: Bsn) -> bytes:
        """By which a number is found."""
        return hmac.digest(self._index, b"bsn:" + bsn.encode(), sha256)

    def name_digest(self, family_name: str, birth_date: date) -> bytes:
        """By which a name and birth date are found."""
        found_by = f"name:{plain_name(family_name)}:{birth_date.isoformat()}"
        return hmac.digest(self._index, found_by.encode(), sha256)


def plain_name(name: str) -> str:
    r"""A family name without what people write differently: accents, capitals, hyphens, order of its words.

    >>> plain_name("Vries, de") == plain_name("De Vries")
    True
    >>> plain_name("Özdemir-Müller")
    'muller ozdemir'
    >>> plain_name("\N{MATHEMATICAL SANS-SERIF BOLD CAPITAL A}")  # first what it is, then what is small
    'a'
    """
    letters = (
        letter if letter.isalpha() else " "
        for letter in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
        if not unicodedata.combining(letter)
    )
    return " ".join(sorted("".join(letters).split()))


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(secret)
