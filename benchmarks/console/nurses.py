"""Nurses who work from the list, as their browsers ask: each with a live connection, looking again when told.

An open loop: what a nurse does is planned beforehand, and lasts from when it was planned, so that who waits
for a slow answer does not make the next one look fast. Their browsers look again as `static/worklist.js`
does: as often as they are told, and never more than a fifth of the time.
"""

import asyncio
import html
import json
import random
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.console.centre import Centre
from ingest.gateway.login.door import COOKIE
from ingest.gateway.login.forgery import CSRF_HEADER, csrf_token

SOONEST_S = 0.1
TIMES_TOOK = 4
_MARK = re.compile(r'<div id="list" data-mark="([0-9a-f]+)"')
_ROW = re.compile(r'<tr id="row-([0-9a-f-]+)"[^>]*data-alerts="([^"]*)"')
_FILTERS = ("severity=high", "severity=medium&owner=nobody", "wijk=Escamp", "owner=mine", "signal=fluid")
_NOTHING_NEW = 204
_TIMEOUT_S = 30.0
_LAG_EVERY_S = 0.02


@dataclass(slots=True)
class Tally:
    """What was asked, and how long each took. **Units**: milliseconds; `late_ms`: of the generator itself."""

    took_ms: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    late_ms: list[float] = field(default_factory=list[float])
    beaten: int = 0
    """Somebody else was faster, or the alert had changed: refused, as it should be."""
    failed: dict[str, int] = field(default_factory=dict[str, int])
    told: int = 0
    """How often a browser heard *changed*."""
    is_counted: bool = True

    def note(self, kind: str, planned_s: float, answer: httpx.Response | None) -> None:
        """One request that was to begin at `planned_s`; None: no answer came."""
        if not self.is_counted:
            return
        self.took_ms.setdefault(kind, []).append((time.perf_counter() - planned_s) * 1e3)
        if answer is None or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            said = "no answer" if answer is None else str(answer.status_code)
            self.failed[f"{kind}: {said}"] = self.failed.get(f"{kind}: {said}", 0) + 1
        elif answer.status_code >= httpx.codes.BAD_REQUEST or "hx-retarget" in answer.headers:
            self.beaten += 1


@dataclass(slots=True)
class Nurse:
    """One at work: what the screen shows, and what was heard of each alert since."""

    client: httpx.AsyncClient
    tally: Tally
    dice: random.Random
    rows: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list[Any])
    mine: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    undo: dict[str, Any] | None = None
    _delayed: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _looked_s: float = 0.0
    _took_s: float = 0.0
    _mark: str | None = None

    async def listen(self) -> None:
        """The live connection, until cancelled."""
        headers = {"Accept": "text/event-stream"}
        while True:
            with suppress(httpx.TransportError):
                async with self.client.stream(
                    "GET", "/console/events", headers=headers, timeout=None
                ) as news:
                    async for line in news.aiter_lines():
                        if line.startswith("event: changed"):
                            self.tally.told += self.tally.is_counted
                            self._changed.set()
                        elif line.startswith("event: delayed"):
                            self._delayed.set()
            await asyncio.sleep(1)

    async def look_again(self) -> None:
        """The list, whenever something changed, as often as the page may; until cancelled."""
        headers = {"X-By-Itself": "true", "HX-Trigger": "list"}
        while True:
            await self._changed.wait()
            wait_s = self._looked_s + max(SOONEST_S, TIMES_TOOK * self._took_s) - time.perf_counter()
            await asyncio.sleep(max(0.0, wait_s))
            self._changed.clear()
            self._looked_s = time.perf_counter()
            query = "limit=50" if self._mark is None else f"limit=50&mark={self._mark}"
            await self.look("list, by itself", self._looked_s, query, headers=headers)
            self._took_s = time.perf_counter() - self._looked_s

    async def look_for_delays(self) -> None:
        """The banner, whenever another stage is late; until cancelled."""
        while True:
            await self._delayed.wait()
            self._delayed.clear()
            headers = {"X-By-Itself": "true"}
            await self.ask("delays", time.perf_counter(), "GET", "/console/delays", headers=headers)

    async def work(self, planned: Sequence[float]) -> None:
        """What is done, each deed at its moment. **Units**: seconds of `time.perf_counter`."""
        for at_s in planned:
            now_s = time.perf_counter()
            await asyncio.sleep(max(0.0, at_s - now_s))
            await self._next_deed(at_s)

    async def look(
        self, kind: str, planned_s: float, query: str = "limit=50", headers: Mapping[str, str] | None = None
    ) -> None:
        """The list, as it is now."""
        answer = await self.ask(kind, planned_s, "GET", f"/console/worklist/rows?{query}", headers=headers)
        if answer is None or not answer.is_success:
            return
        if answer.status_code == _NOTHING_NEW:
            return
        mark = _MARK.search(answer.text)
        # Another filter is another list: what was seen of it is of no use for the whole one.
        self._mark = mark[1] if mark is not None and query.startswith("limit=") else None
        self.rows = [(row, json.loads(html.unescape(said))) for row, said in _ROW.findall(answer.text)]

    async def ask(
        self, kind: str, planned_s: float, method: str, path: str, **more: Any
    ) -> httpx.Response | None:
        """One request, noted."""
        try:
            answer = await self.client.request(method, path, **more)
        except httpx.TransportError:
            self.tally.note(kind, planned_s, None)
            return None
        self.tally.note(kind, planned_s, answer)
        return answer

    async def _next_deed(self, at_s: float) -> None:
        if self.undo is not None and self.dice.random() < 0.1:
            undo, self.undo = self.undo, None
            await self._act("undo", at_s, undo["address"], _nested(undo["values"]))
        elif self.mine:
            about = {"alerts": [{"alert_id": one["id"], "version": one["v"]} for one in self.mine]}
            self.mine = []
            if self.dice.random() < 0.25:
                await self._act("snooze", at_s, "/console/worklist/snooze", {**about, "minutes": 60})
            else:
                said = {**about, "outcome": "true_acted_on", "note": "Gebeld, medicatie aangepast."}
                await self._act("resolve", at_s, "/console/worklist/resolve", said)
        elif self.dice.random() < 0.15:
            await self.look("list, filtered", at_s, self.dice.choice(_FILTERS))
        else:
            await self._take(at_s)

    async def _take(self, at_s: float) -> None:
        """Opens a row that nobody has, reads it, and takes it."""
        free = [(row, alerts) for row, alerts in self.rows if any("c" in one["can"] for one in alerts)]
        if not free:
            await self.look("list, filtered", at_s, "owner=nobody")
            return
        row, alerts = self.dice.choice(free)
        await self.ask("open a row", at_s, "GET", f"/console/worklist/patients/{row}")
        wanted = [one for one in alerts if "c" in one["can"]]
        body = {"alerts": [{"alert_id": one["id"], "version": one["v"]} for one in wanted]}
        await self._act("claim", time.perf_counter(), "/console/worklist/claim", body)

    async def _act(self, kind: str, at_s: float, path: str, body: Mapping[str, Any]) -> None:
        answer = await self.ask(kind, at_s, "POST", path, json=body)
        if answer is None:
            return
        events: dict[str, dict[str, Any]] = json.loads(answer.headers.get("hx-trigger", "{}"))
        self._changed.set()
        acted: list[dict[str, Any]] = events.get("acted", {}).get("alerts", [])
        self.mine = acted if kind == "claim" else []
        self.undo = events.get("said", {}).get("undo") if kind in {"resolve", "snooze"} else None


async def at_work(centre: Centre, tally: Tally, seconds: float, thinking_s: float) -> None:
    """All nurses of a centre at work for so long; each does something every `thinking_s`, on average.

    **Units**: seconds. The first twentieth of the time is not counted: everybody opens the list at once.
    """
    dice = random.Random(1)
    begin_s = time.perf_counter() + min(2.0, seconds / 20)
    clients = [_client(centre, token) for token in centre.tokens]
    nurses = [Nurse(client, tally, random.Random(n)) for n, client in enumerate(clients)]
    tally.is_counted = False
    kept: list[asyncio.Task[None]] = [asyncio.create_task(_lag(tally))]
    try:
        for nurse in nurses:
            await nurse.look("first", time.perf_counter())
            always = (nurse.listen(), nurse.look_again(), nurse.look_for_delays())
            kept += [asyncio.create_task(one) for one in always]
        begin_s = max(begin_s, time.perf_counter())
        plans = [_planned(dice, begin_s, seconds, thinking_s) for _ in nurses]
        tally.is_counted = True
        async with asyncio.TaskGroup() as group:
            for nurse, plan in zip(nurses, plans, strict=True):
                group.create_task(nurse.work(plan))
            group.create_task(asyncio.sleep(max(0.0, begin_s + seconds - time.perf_counter())))
    finally:
        for task in kept:
            task.cancel()
        await asyncio.gather(*kept, return_exceptions=True)
        for client in clients:
            await client.aclose()


def _planned(dice: random.Random, begin_s: float, seconds: float, thinking_s: float) -> list[float]:
    """Moments of a Poisson process."""
    found: list[float] = []
    at_s = begin_s + dice.expovariate(1 / thinking_s)
    while at_s < begin_s + seconds:
        found.append(at_s)
        at_s += dice.expovariate(1 / thinking_s)
    return found


def _client(centre: Centre, token: str) -> httpx.AsyncClient:
    headers = {
        "Cookie": f"{COOKIE}={token}; thuiswacht-language=nl",
        "Origin": centre.url,
        "HX-Request": "true",
        CSRF_HEADER: csrf_token(token),
    }
    limits = httpx.Limits(max_connections=6)
    return httpx.AsyncClient(base_url=centre.url, headers=headers, timeout=_TIMEOUT_S, limits=limits)


def _nested(values: Mapping[str, str]) -> dict[str, Any]:
    """The values of an undo as the page sends them: `alerts.0.version:number`."""
    alerts: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        path, _, kind = key.partition(":")
        _, place, name = path.split(".")
        alerts.setdefault(place, {})[name] = int(value) if kind == "number" else value
    return {"alerts": list(alerts.values())}


async def _lag(tally: Tally) -> None:
    """How late the generator itself is: what it would add to every figure."""
    while True:
        wanted_s = time.perf_counter() + _LAG_EVERY_S
        await asyncio.sleep(_LAG_EVERY_S)
        if tally.is_counted:
            tally.late_ms.append((time.perf_counter() - wanted_s) * 1e3)
