"""Errors as problem details (RFC 9457): what was expected and found, what to do; never a patient's data."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import cast

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from models import logs
from models.errors import BadInput, NotAllowed, NotNow, NotThere, Outdated, ThuiswachtError, TryAgain

log = logs.get(__name__)

MEDIA_TYPE = "application/problem+json"
FHIR_JSON = "application/fhir+json"
FHIR_PREFIX = "/fhir"
"""What speaks FHIR, also when it refuses."""
_ISSUES: Mapping[int, str] = {
    200: "informational", 400: "structure", 401: "login", 403: "forbidden", 404: "not-found",
    405: "not-supported", 406: "not-supported", 408: "timeout", 409: "conflict", 413: "too-long",
    415: "not-supported", 422: "invalid", 429: "throttled", 500: "exception", 503: "transient",
}  # fmt: skip
_KEPT = ("allow", "connection", "retry-after", "www-authenticate")


class Problem(ThuiswachtError):
    """A request that is not granted: an HTTP status and a sentence for whoever sent it."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(
        self,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """`errors`: what was expected and found where, for programs."""
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}
        self.errors = errors


class NotLoggedIn(Problem):
    """Nobody is known: no session or token, or one that does not hold."""

    status = HTTPStatus.UNAUTHORIZED


class TooOften(Problem):
    """Too many attempts; the header Retry-After says when again."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Repeated(Problem):
    """A signed request that was answered well before: it has its effect once, and is answered well again."""

    status = HTTPStatus.OK


STATUSES: Mapping[type[ThuiswachtError], HTTPStatus] = {
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotThere: HTTPStatus.NOT_FOUND,
    Outdated: HTTPStatus.CONFLICT,
}
"""Errors that whoever decides raises, and the command line knows too."""


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: object) -> JSONResponse:
    """The response to a request that is not granted."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(content | more, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def response_of(error: Exception) -> JSONResponse:
    """What is answered to an error; a mistake of ours says nothing but that it was one."""
    match error:
        case Problem() | NotAllowed() | NotThere() | Outdated():
            return problem(status_of(error), str(error), _headers_of(error), **_more_of(error))
        case BadInput():
            return problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, str(error),
                errors=[{"where": error.where, "expected": error.expected, "found": error.found}],
            )  # fmt: skip
        case RequestValidationError():
            # Neither the input nor the context: they hold what was sent.
            errors = [
                {"where": ".".join(map(str, one["loc"])), "expected": one["msg"], "found": one["type"]}
                for one in error.errors()
            ]
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not as expected.", errors=errors)
        case TryAgain() | NotNow():
            return problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "Not now: something that we need is away. Try again.",
                {"Retry-After": "2"},
            )  # fmt: skip
        case HTTPException():
            said = HTTPStatus(error.status_code).description or "Refused."
            return problem(error.status_code, said, dict(error.headers or {}))
        case _:
            log.error("mistake", error=error)
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "A mistake of ours; it is in our log.")


def _headers_of(error: Exception) -> dict[str, str] | None:
    return error.headers if isinstance(error, Problem) else None


def _more_of(error: Exception) -> dict[str, object]:
    if isinstance(error, Repeated):
        return {"result": "duplicate"}
    if isinstance(error, Outdated) and error.now is not None:
        return {"now": error.now}
    return {"errors": list(error.errors)} if isinstance(error, Problem) and error.errors else {}


def status_of(error: Problem | NotAllowed | NotThere | Outdated) -> HTTPStatus:
    """With which status a request is not granted."""
    return error.status if isinstance(error, Problem) else STATUSES[type(error)]


async def answer(request: Request, error: Exception) -> JSONResponse:
    """The handler of all errors: an OperationOutcome to who speaks FHIR, problem details to all others."""
    response = response_of(error)
    path = request.url.path
    return as_outcome(response) if path == FHIR_PREFIX or path.startswith(f"{FHIR_PREFIX}/") else response


def as_outcome(response: JSONResponse) -> JSONResponse:
    """The same refusal in FHIR's words."""
    content: dict[str, object] = json.loads(bytes(response.body))
    said = str(content["detail"])
    for one in cast("list[dict[str, str]]", content.get("errors", [])):
        if one["where"] not in said:
            said += f" {one['where']}: expected {one['expected']}, found {one['found']}."
    is_well = response.status_code < HTTPStatus.BAD_REQUEST
    severity, code = (
        ("information", "informational")
        if is_well
        else ("error", _ISSUES.get(response.status_code, "processing"))
    )
    headers = {name: value for name, value in response.headers.items() if name in _KEPT}
    return JSONResponse(
        outcome(severity, code, said), status_code=response.status_code, headers=headers, media_type=FHIR_JSON
    )


def outcome(severity: str, code: str, diagnostics: str) -> dict[str, object]:
    """An OperationOutcome with one issue (FHIR R4)."""
    issue = {"severity": severity, "code": code, "diagnostics": diagnostics}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
