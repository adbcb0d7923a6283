"""What the answer of an HTTP endpoint means for a message. Pure."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from alerting.notify.channels import Delivered, Gone, Later, Receipt, Refused
from models.clock import SECOND_US, to_us

_LONGEST_WISH_S = 3600.0

# These will be the same next time; whatever else goes wrong may be mended at the other end.
_FOR_EVER = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def receipt_of(status: int, headers: Mapping[str, str], now_us: int) -> Receipt:
    """What an answer with this status and these headers (names in lower case) comes to.

    Redirects are never followed: an address is changed by whoever may, not by who answers there. **Units**:
    `now_us`, by which a date of Retry-After is read, in microseconds since 1970 UTC.

    >>> receipt_of(204, {}, 0), receipt_of(429, {"retry-after": "120"}, 0)
    (Delivered(), Later(why='http 429', after_s=120.0))
    """
    why = f"http {status}"
    if 200 <= status < 300:
        return Delivered()
    if 300 <= status < 400:
        return Refused("redirect")
    if status == HTTPStatus.GONE:
        return Gone(why)
    if status in _FOR_EVER:
        return Refused(why)
    return Later(why, retry_after_s(headers.get("retry-after"), now_us))


def retry_after_s(value: str | None, now_us: int) -> float | None:
    """How long an endpoint asks to be left alone: seconds or a date; an hour at most.

    >>> retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 0), retry_after_s("soon", 0)
    (60.0, None)
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_WISH_S)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max((to_us(at) - now_us) / SECOND_US, 0.0), _LONGEST_WISH_S)
