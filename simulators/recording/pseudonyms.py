"""Other names for everybody and everything: consistent, one for one, and nobody's without the key.

Nothing stays but what the rules look at and what keeps messages apart: no words of people, no wijk, no
huisarts, no language, no time zones. Times stay as they are: a schedule (before 11:00), the change to summer
time and the days of the week mean something only where they happened, and a shift by weeks would hide none of
the habits by which somebody who knows a patient recognises them. So a recording under pseudonyms is personal
data still.
"""

import hmac
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from alerting.engine.devices import device_digest
from ingest.salvage import known_id
from models.errors import BadInput
from models.kinds import KIND_BY_NAME
from models.messages import Change, Origin, WireReading, WireUpload
from models.units import UNIT_BY_SPELLING

KEY_BYTES = 32
REMARK = "-"
"""In place of a patient's words: that something was said stays."""
NOT_OURS = "?"
"""In place of a word that is none of ours: it was refused, and is refused again."""
OUR_SOURCES = "thuiswacht."
_A_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_A_UNIT = re.compile(r"[A-Za-z0-9%/{}\[\]._*-]{1,20}")
_CODES = {code for kind in KIND_BY_NAME.values() for code in kind.codes}
_TRIES = 1 << 22
"""For a name between two others; nearly always a handful is enough."""


class Pseudonyms:
    """The other names under one key, which is a secret.

    With `keeps_order` the devices of a patient get names that stand in the order of their own, by which the
    rules tell apart what was measured at the same microsecond. Then a name also depends on which devices came
    before it, so several recordings under one key call a device the same only without it.
    """

    def __init__(self, key: bytes, *, keeps_order: bool = True) -> None:
        """**Raises**: BadInput for a key that is too short."""
        if len(key) < KEY_BYTES:
            raise BadInput(
                where="the key", expected=f"at least {KEY_BYTES} bytes of chance", found=f"{len(key)} bytes"
            )
        self._key = key
        self._keeps_order = keeps_order
        self._devices: dict[tuple[str, str], str] = {}
        self._order: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.patient = lru_cache(maxsize=1_000_000)(self._patient)
        self._label = lru_cache(maxsize=100_000)(self._new_label)

    def _patient(self, text: str) -> str:
        """Of a patient, as the message names them; what is no id stays none."""
        known = known_id(text)
        return (
            f"no-id-{self._digest('patient', text).hex()[:20]}"
            if known is None
            else self.uuid("patient", known)
        )

    def uuid(self, what: str, text: str) -> str:
        """A random id in place of another."""
        return str(UUID(bytes=self._digest(what, text)[:16], version=4))

    def label(self, what: str, text: str) -> str:
        """A word in place of another."""
        return self._label(what, text)

    def device(self, patient: str, text: str) -> str:
        """Of a device, for one patient: another patient's device of the same name has another."""
        name = self._devices.get((patient, text))
        if name is None:
            name = self._new_device(patient, text)
            if self._keeps_order:
                self._devices[patient, text] = name
        return name

    def upload(self, upload: WireUpload) -> WireUpload:
        """An upload under other names."""
        patient = upload["patient_id"].lower()
        source = upload["source"]
        return {
            "schema": upload["schema"],
            "type": upload["type"],
            "upload_id": self.uuid("upload", upload["upload_id"].lower()),
            "patient_id": self.patient(patient),
            "device_id": self.device(patient, upload["device_id"]),
            "source": source if source.startswith(OUR_SOURCES) else self.label("source", source),
            "sent_at_us": upload["sent_at_us"],
            "received_at_us": upload["received_at_us"],
            "readings": [self._reading(reading) for reading in upload["readings"]],
        }

    def change(self, change: Change) -> str:
        """The text of a change under other names; a patient who was real is simulated in it."""
        content: dict[str, Any] = json.loads(change.change.model_dump_json(by_alias=True, exclude_unset=True))
        ((what, fields),) = ((name, found) for name, found in content.items() if found is not None)
        message = {
            "schema": 1,
            "type": "change",
            "change_id": self.uuid("change", str(change.change_id)),
            "patient_id": self.patient(str(change.patient_id)),
            "valid_from_us": change.valid_from_us,
            **({"correction": True} if change.correction else {}),
            "change": {what: self._fields(what, fields)},
        }
        return json.dumps(message, separators=(",", ":"))

    def _fields(self, what: str, fields: dict[str, Any]) -> dict[str, Any]:
        match what:
            case "register":
                organisation = self.uuid("organisation", fields["organisation_id"])
                return {"origin": _origin(fields["origin"]), "organisation_id": organisation}
            case "pause":
                return {name: value for name, value in fields.items() if name != "reason"}
            case _:
                return {name: self._part(name, value) for name, value in fields.items()}

    def _part(self, name: str, value: Any) -> Any:
        if name == "programme":
            return self._name(value)
        if name in ("limits", "schedule"):
            return {self._name(key): self._personal(one) for key, one in value.items()}
        return value

    def _personal(self, one: dict[str, Any] | None) -> dict[str, Any] | None:
        if one is None:
            return None
        said = {"set_by": self.label("person", one["set_by"])}
        if "unit" in one:
            said["unit"] = one["unit"] if _A_UNIT.fullmatch(one["unit"]) else NOT_OURS
        return one | said

    def _name(self, text: str) -> str:
        """The names in programmes are not about people; what does not look like one may be."""
        return text if _A_NAME.fullmatch(text) else self.label("name", text)

    def _reading(self, reading: WireReading) -> WireReading:
        kept: Any = {
            name: value for name, value in reading.items() if name not in ("code_received", "utc_offset_min")
        }
        kept["kind"] = _known(reading["kind"], KIND_BY_NAME)
        if "unit" in reading:
            kept["unit"] = _known(reading["unit"], UNIT_BY_SPELLING)
        if "code" in reading:
            kept["code"] = reading["code"] if reading["code"] in _CODES else NOT_OURS
        if "text" in reading:
            kept["text"] = REMARK
        if "group" in reading:
            kept["group"] = self.label("group", reading["group"])
        return kept

    def _new_label(self, what: str, text: str) -> str:
        return f"{what}-{self._digest(what, text).hex()[:16]}"

    def _new_device(self, patient: str, text: str) -> str:
        own, known = device_digest(text), self._order[patient] if self._keeps_order else []
        above = max((new for old, new in known if old < own), default=-1)
        below = min((new for old, new in known if old > own), default=1 << 64)
        for attempt in range(_TRIES):
            name = f"device-{self._digest('device', f'{patient} {attempt} {text}').hex()[:20]}"
            digest = device_digest(name)
            if above < digest < below:
                if self._keeps_order:
                    known.append((own, digest))
                return name
        # More devices than anybody has: their order is of no importance any more.
        return f"device-{self._digest('device', f'{patient} - {text}').hex()[:20]}"

    def _digest(self, what: str, text: str) -> bytes:
        return hmac.digest(self._key, f"{what}\0{text}".encode(), sha256)


def pseudonyms_of(key_file: Path | None) -> Pseudonyms:
    """Under the key of a file, which is made where it is not there; without one, under a key nobody keeps.

    **Raises**: BadInput for a key that is too short, or that others on this machine can read.
    """
    if key_file is None:
        return Pseudonyms(secrets.token_bytes(KEY_BYTES))
    if not key_file.exists():
        key_file.touch(mode=0o600, exist_ok=False)
        key_file.write_bytes(secrets.token_hex(KEY_BYTES).encode())
    if key_file.stat().st_mode & 0o077:
        expected = "a key that its owner alone can read (chmod 600)"
        raise BadInput(where=str(key_file), expected=expected, found="one that others can")
    return Pseudonyms(key_file.read_bytes().strip(), keeps_order=False)


def _origin(origin: str) -> str:
    return Origin.SIMULATED.value if origin == Origin.REAL.value else origin


def _known(word: str, words: Mapping[str, Any]) -> str:
    return word if word in words else NOT_OURS
