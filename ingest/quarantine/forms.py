"""What people fill in to have something tried again."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from ingest.register.forms import Form
from models.columns import Reason
from models.db.refused import MOST_AT_ONCE

_PLACE = re.compile(r"([0-9]{1,9})-([0-9]{1,18})")


def _known_place(text: str) -> str:
    if _PLACE.fullmatch(text) is None:
        raise ValueError("a place in the log: partition-offset")
    return text


class RetryForm(Form):
    """Messages by their places (partition-offset), or all of which something was refused for a reason."""

    places: Annotated[
        tuple[Annotated[str, AfterValidator(_known_place)], ...], Field(max_length=MOST_AT_ONCE)
    ] = ()
    reason: Reason | None = None

    @model_validator(mode="after")
    def _says_what(self) -> "RetryForm":
        if bool(self.places) == (self.reason is not None):
            raise ValueError("places, or a reason")
        return self


def places_of(form: RetryForm) -> list[tuple[int, int]]:
    """Partition and offset of each place.

    >>> places_of(RetryForm(places=("3-4711",)))
    [(3, 4711)]
    """
    found = [_PLACE.fullmatch(text) for text in form.places]
    return [(int(one[1]), int(one[2])) for one in found if one is not None]
