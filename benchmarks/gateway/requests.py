"""Requests ready to be sent: bytes of HTTP with distinct readings, each of a patient who has that device."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from models.clock import wall_now_us

PER_BUNDLE = 100
BEGIN = timedelta(days=6)
"""Readings lie this long ago and later: late enough to be taken in, early enough to be many."""


@dataclass(frozen=True, slots=True)
class Home:
    """A patient with a device on loan."""

    patient_id: UUID
    device_id: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way in: its name, its path, how many readings a request holds, and what an accepted one says."""

    name: str
    path: str
    media_type: str
    readings: int
    mark: bytes


PLAIN = Way("single, plain JSON", "/v1/uploads", "application/json", 1, b'"accepted"')
SINGLE = Way("single, FHIR", "/fhir/Observation", "application/fhir+json", 1, b" 201 ")
BUNDLE = Way("bundle of 100, FHIR", "/fhir", "application/fhir+json", PER_BUNDLE, b'"201')
WAYS = (PLAIN, SINGLE, BUNDLE)


class Requests:
    """Makes requests for ever, no reading twice."""

    def __init__(self, homes: Sequence[Home], token: str, host: str) -> None:
        self.homes = homes
        self.token = token
        self._head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\n"
        self._made = 0
        self._next: Counter[Home] = Counter()
        self._begin = datetime.fromtimestamp(wall_now_us() // 1_000_000, UTC) - BEGIN

    def make(self, way: Way, number: int) -> list[bytes]:
        """So many requests; a bundle is of one patient and device, as a hub sends it."""
        return [self._request(way) for _ in range(number)]

    def observation(self) -> dict[str, Any]:
        """One more Observation, as the resource that it is."""
        return self._observation(*self._place(1))

    def _place(self, readings: int) -> tuple[Home, int]:
        home = self.homes[self._made % len(self.homes)]
        first = self._next[home]
        self._made += 1
        self._next[home] += readings
        return home, first

    def _request(self, way: Way) -> bytes:
        home, first = self._place(way.readings)
        if way is PLAIN:
            body: Any = {"device_id": home.device_id, "readings": [self._plain(first)]}
        else:
            observations = [self._observation(home, first + at) for at in range(way.readings)]
            body = observations[0] if way is SINGLE else _bundle(observations)
        content = json.dumps(body, separators=(",", ":")).encode()
        head = (
            f"POST {way.path} HTTP/1.1\r\n{self._head}"
            f"Content-Type: {way.media_type}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content

    def _at(self, number: int) -> datetime:
        return self._begin + timedelta(seconds=number)

    def _plain(self, number: int) -> dict[str, Any]:
        return {
            "kind": "heart_rate",
            "value": 60 + number % 40,
            "unit": "/min",
            "taken_at": self._at(number).isoformat(),
        }

    def _observation(self, home: Home, number: int) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [
                {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                            "code": "vital-signs",
                        }
                    ]
                }
            ],
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]},
            "subject": {"reference": f"Patient/{home.patient_id}"},
            "device": {"identifier": {"system": "urn:thuiswacht:device", "value": home.device_id}},
            "effectiveDateTime": self._at(number).isoformat(),
            "valueQuantity": {
                "value": 60 + number % 40,
                "unit": "per minuut",
                "system": "http://unitsofmeasure.org",
                "code": "/min",
            },
        }


def _bundle(observations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"resource": resource, "request": {"method": "POST", "url": "Observation"}}
            for resource in observations
        ],
    }
