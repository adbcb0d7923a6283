"""The files of the console that hold nothing of anybody: scripts, styles, pictures; no address outside."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response

from models.errors import NotThere

PREFIX = "/console/static"
PATH = f"{PREFIX}/{{name:path}}"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_KEPT = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; `mark` changes with its content, so that browsers may keep it for ever."""

    content: bytes
    media_type: str
    mark: str


@cache
def assets() -> Mapping[str, Asset]:
    """All files by their names beneath static/."""
    return dict(_found(files("alerting.console") / "static", ""))


def address(name: str) -> str:
    """Where a page finds a file, as it is now. **Raises**: KeyError for one that there is not."""
    return f"{PREFIX}/{name}?v={assets()[name].mark}"


def make_assets() -> APIRouter:
    """The route of this module, which anybody may reach."""
    router = APIRouter(tags=["console"])

    @router.get(PATH, include_in_schema=False)
    async def asset(request: Request, name: str) -> Response:
        found = assets().get(name)
        if found is None:
            raise NotThere("There is no such file.")
        headers = {"Cache-Control": _KEPT, "ETag": f'"{found.mark}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)

    return router


def _found(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for path in folder.iterdir():
        name = f"{prefix}{path.name}"
        if path.is_dir():
            found += _found(path, f"{name}/")
        elif (media_type := _TYPES.get(name[name.rfind(".") :])) is not None:
            content = path.read_bytes()
            mark = hashlib.sha256(content).hexdigest()[:16]
            found.append((name, Asset(content, media_type, mark)))
    return found
