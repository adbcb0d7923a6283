"""Patients of a file, whose ids may be any text."""

from collections.abc import Iterable
from uuid import UUID, uuid5

from alerting.offline.fields import Texts
from ingest.salvage import known_id

NAMESPACE = UUID("6b1f5d0e-6d0c-5a55-9a3e-0f6f3c1c7a52")
"""In which the texts that are no UUID become one; it never changes, for the ids of findings rest on it."""


def patient_uuid(text: str) -> UUID:
    """The id of a patient in the engine: the text itself where it is a UUID, its UUIDv5 where it is none.

    >>> str(patient_uuid("00000000-0000-4000-8000-00000000000A"))
    '00000000-0000-4000-8000-00000000000a'
    >>> str(patient_uuid("Subject 1"))
    '6eb96cc1-b1b5-5b80-a303-5ce2add01629'
    """
    known = known_id(text)
    return uuid5(NAMESPACE, text) if known is None else UUID(known)


class Patients(Texts):
    """The patients of a file, each with a number: whoever has the same id is the same patient.

    With `known`, only these patients are registered.
    """

    def __init__(self, known: Iterable[str] | None = None) -> None:
        super().__init__("patient_id")
        self.ids: list[UUID] = []
        self._by_id: dict[UUID, int] = {}
        for text in known or ():
            self.number(text)
        self.registered = None if known is None else len(self.ids)

    def number(self, text: str) -> int:
        """The number of the patient who is called so."""
        found = self.numbers.get(text)
        if found is None:
            patient_id = patient_uuid(text)
            found = self._by_id.setdefault(patient_id, len(self.ids))
            self.numbers[text] = found
            if found == len(self.ids):
                self.ids.append(patient_id)
                self.all.append(text)
        return found

    def is_known(self, number: int) -> bool:
        """Whether a patient is registered: everybody, where nobody had to be."""
        return self.registered is None or number < self.registered
