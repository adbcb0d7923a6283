"""Somebody who goes everywhere: all rooms, all pages behind them, every part that a page can fetch."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from playwright.async_api import BrowserContext, Page, Request

from tests.browser.screens import Screens

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_QUIET_S = 0.3
_LIVE, _FILES = "/console/events", "/console/static"
_LINKS = (
    """() => [...document.querySelectorAll('a[href^="/console"]')].map(one => one.getAttribute('href'))"""
)
_SAVED = (".pdf", ".csv", ".json")
_SAVE = "address => fetch(address).then(answer => answer.blob()).then(() => null)"
_PARTS = """() => [...document.querySelectorAll('[hx-get]')].map(one => one.getAttribute('hx-get'))"""
_FETCH = """address => fetch(address, { headers: { "HX-Request": "true" } })
    .then(answer => answer.text()).then(() => null)"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a browser and its answer, as text: address, what was sent, headers and body."""

    who: str
    method: str
    path: str
    status: int
    text: str


@dataclass
class Record:
    """All that browsers asked and were answered, but for files that hold nothing of anybody."""

    answers: list[Asked] = field(default_factory=list[Asked])
    cut_off: list[str] = field(default_factory=list[str])
    """Asked, and left before the answer came."""
    listened: int = 0
    """How many live connections were begun: they end with their page."""
    _going: set[Request] = field(default_factory=set[Request])
    _read: list["asyncio.Task[None]"] = field(default_factory=list["asyncio.Task[None]"])

    def watch(self, context: BrowserContext, who: str) -> None:
        """From now on what this browser asks is recorded as somebody's."""
        context.on("request", self._begin)
        context.on("requestfailed", self._cut_off)
        context.on("requestfinished", lambda request: self._end(request, who))

    async def quiet(self) -> None:
        """Waits until nothing is asked any more."""
        while self._going or not all(one.done() for one in self._read):  # noqa: ASYNC110 quiet is no event
            await asyncio.sleep(_QUIET_S)
        await asyncio.sleep(_QUIET_S)
        if self._going:
            await self.quiet()
        await asyncio.gather(*self._read)

    def _begin(self, request: Request) -> None:
        path = urlsplit(request.url).path
        self.listened += path == _LIVE
        if path.startswith("/console") and not path.startswith((_FILES, _LIVE)):
            self._going.add(request)

    def _cut_off(self, request: Request) -> None:
        if request in self._going:
            self._going.discard(request)
            self.cut_off.append(request.url)

    def _end(self, request: Request, who: str) -> None:
        if request in self._going:
            self._read.append(asyncio.create_task(self._note(request, who)))

    async def _note(self, request: Request, who: str) -> None:
        try:
            self.answers.append(await _read(request, who))
        finally:
            self._going.discard(request)


async def _read(request: Request, who: str) -> Asked:
    response = await request.response()
    assert response is not None
    body = "" if 300 <= response.status < 400 else (await response.body()).decode(errors="replace")
    parts = urlsplit(request.url)
    headers = " ".join((await response.all_headers()).values())
    # In headers only ASCII stands: what else there is, is escaped.
    text = "\n".join((parts.path, parts.query, request.post_data or "", headers, body))
    return Asked(who, request.method, parts.path, response.status, text)


Look = Callable[[Page], Awaitable[None]]


async def walk(screens: Screens, record: Record, who: str, look: Look | None = None) -> Counter[str]:
    """Every page that somebody finds from where they begin, and every part in it; how many of each kind."""
    page = await screens.open(who, "/login")
    record.watch(page.context, who)
    seen: Counter[str] = Counter()
    to_see = ["/console"]
    while to_see:
        address = to_see.pop(0)
        if seen[_kind_of(address)] >= (3 if _UUID.search(address) else 1):
            continue
        seen[_kind_of(address)] += 1
        if urlsplit(address).path.endswith(_SAVED):
            await page.evaluate(_SAVE, address)
            await record.quiet()
            continue
        await page.goto(screens.url + address)
        await record.quiet()
        if look is not None:
            await look(page)
        to_see += sorted(set(await page.evaluate(_LINKS)))
        for part in sorted(set(await page.evaluate(_PARTS))):
            if seen[_kind_of(part)] < 2:
                seen[_kind_of(part)] += 1
                await page.evaluate(_FETCH, part)
        await record.quiet()
    await page.context.close()
    return seen


def of_patients(text: str, marks: dict[str, UUID]) -> frozenset[UUID]:
    """The patients of whom a text says something, by their marks: ids, names, ids of their alerts."""
    return frozenset(patient_id for mark, patient_id in marks.items() if mark in text)


def _kind_of(address: str) -> str:
    """An address without what is of one patient, and without the values of what is sought."""
    parts = urlsplit(address)
    names = sorted(one.partition("=")[0] for one in parts.query.split("&"))
    return f"{_UUID.sub('…', parts.path)}?{'&'.join(names)}"
