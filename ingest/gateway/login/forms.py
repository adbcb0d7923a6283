"""Forms as browsers and OAuth clients send them."""

from urllib.parse import parse_qsl

from fastapi import Request

from ingest.gateway.problems import Problem

LARGEST = 32_768
_TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request, *, may_be_empty: bool = False) -> dict[str, str]:
    """The fields of a form, each given once. **Raises**: Problem for anything else, or more than 32 kB."""
    if may_be_empty and "content-type" not in request.headers:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise Problem(f"Expected a form ({_TYPE}).")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Problem(f"Expected a form of at most {LARGEST} bytes.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise Problem("Expected a form; it cannot be read as one.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Problem("Expected each field of the form once.")
    return fields
