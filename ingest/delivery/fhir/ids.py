"""The id of a FHIR resource that holds readings: the same for the same identity, so that putting is pure."""

from uuid import UUID, uuid5

_OBSERVATIONS = UUID("8f3f3d0a-6f0b-5f57-9a2c-6e1f3a5d7c41")
"""The namespace of these ids; it never changes."""


def observation_id(patient_id: UUID, about: str, taken_at_us: int, device_id: str) -> UUID:
    """The id of what a patient's device measured at a time; every revision of it has the same.

    **Units**: microseconds since 1970 UTC.

    >>> observation_id(UUID(int=1), "pulse", 1795332680000000, "cuff-1").version
    5
    """
    # A device's name may hold anything, so it comes last: no two identities have one text.
    return uuid5(_OBSERVATIONS, f"{patient_id} {about} {taken_at_us} {device_id}")
