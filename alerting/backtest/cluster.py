"""Pieces evaluated on a Dask cluster: the same call for the same patients, on other machines.

`distributed` is an extra that is imported where a cluster is asked for; it has no types, hence `Any`.
"""

import socket
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from alerting.backtest.evaluating import Evaluating, Piece, Work
from alerting.backtest.history import Histories, Members
from alerting.offline.evaluation import AHEAD, Begun
from alerting.offline.preparing import Prepared
from models.errors import BadInput, RefuseToStart, TryAgain

PATIENCE_S = 30
US = "thuiswacht"
SAFE = "tls"
"""What readings of people who exist may travel by."""


class Cluster(AbstractContextManager["Cluster"]):
    """The workers of a scheduler. This machine reads, they evaluate: patients are shared out in pieces.

    What a piece needs goes along: a worker opens no file and no database. The versions go to each worker
    once.
    """

    def __init__(self, address: str) -> None:
        """**Raises**: BadInput for no address, TryAgain where nobody answers or works there, RefuseToStart.

        RefuseToStart where Dask is not installed, or workers have another version of us than this machine.
        """
        distributed = _distributed()
        self._scheme = _require_answer(address)
        self._lost: Any = (distributed.KilledWorker, distributed.CancelledError, OSError)
        self._client: Any = distributed.Client(address, timeout=PATIENCE_S, set_as_default=False)
        self._told: tuple[Evaluating, Any] | None = None
        try:
            self.ahead = AHEAD * self._threads(address)
            self._require_alike()
        except BaseException:
            self._client.close()
            raise

    def begin(self, evaluate: Evaluating, histories: Histories, members: Members) -> Begun[Piece]:
        """Begins a piece on the worker that has least to do.

        **Raises**: RefuseToStart where readings of real patients would travel in the clear.
        """
        if histories.real and self._scheme != SAFE:
            raise RefuseToStart(
                f"Readings of real patients go to a cluster by {SAFE}:// only; expected such an address "
                f"after --dask, found {self._scheme}://."
            )
        if self._told is None or self._told[0] is not evaluate:
            self._told = evaluate, self._client.scatter(evaluate, broadcast=True, hash=False)
        work = _for_the_road(histories.prepare(members))
        return _Begun(self._client.submit(_evaluated, self._told[1], work, pure=False), self._lost)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the cluster, which stays."""
        self._client.close()

    def _threads(self, address: str) -> int:
        threads = sum(self._client.nthreads().values())
        if not threads:
            raise TryAgain(f"Expected workers at the Dask scheduler {address}, found none.")
        return int(threads)

    def _require_alike(self) -> None:
        own = version(US)
        others = {found for found in self._client.run(version, US).values() if found != own}
        if others:
            raise RefuseToStart(
                f"Expected workers with thuiswacht {own}, as here; found {', '.join(sorted(others))}."
            )


@dataclass(frozen=True, slots=True)
class _Begun:
    """A piece on its way; lost workers are somebody's to bring back, not a mistake of ours."""

    future: Any
    lost: Any

    def result(self) -> Piece:
        """What came of it. **Raises**: TryAgain."""
        try:
            piece: Piece = self.future.result()
        except self.lost as error:
            raise TryAgain("Workers of the Dask cluster were lost; what is done is kept.") from error
        return piece

    def cancel(self) -> None:
        """Not to be begun any more."""
        self.future.cancel()


def _evaluated(evaluate: Evaluating, work: Work) -> Piece:
    """On a worker."""
    return evaluate(work)


def _for_the_road(work: Work) -> Work:
    """Without the devices of everybody else."""
    prepared = work.prepared
    if prepared.rows.device is None:
        return work
    used, device = np.unique(prepared.rows.device, return_inverse=True)
    # The last of the texts is that of rows without a device, whose number is −1.
    numbers_used: list[int] = used.tolist()
    texts = tuple(prepared.devices[number] for number in numbers_used if number >= 0)
    numbers = np.where(used >= 0, np.cumsum(used >= 0) - 1, -1)[device].astype(np.int32)
    rows = replace(prepared.rows, device=numbers)
    slim: Prepared = replace(prepared, rows=rows, devices=(*texts, ""))
    return replace(work, prepared=slim)


def _require_answer(address: str) -> str:
    """The scheme of an address at which somebody answers. **Raises**: BadInput, TryAgain."""
    try:
        parts = urlsplit(address)
        host, port, scheme = parts.hostname, parts.port, parts.scheme
    except ValueError:
        host = port = scheme = None
    if scheme not in ("tcp", SAFE) or host is None or port is None:
        raise BadInput(where="--dask", expected=f"tcp://HOST:PORT or {SAFE}://HOST:PORT", found=address)
    try:
        socket.create_connection((host, port), timeout=PATIENCE_S).close()
    except OSError as error:
        raise TryAgain(f"Expected a Dask scheduler at {address}, found nobody.") from error
    return scheme


def _distributed() -> Any:
    """**Raises**: RefuseToStart where it is not installed."""
    try:
        found: Any = import_module("distributed")
    except ImportError as error:
        raise RefuseToStart(
            "A cluster needs Dask, which is not installed: pip install 'thuiswacht[dask]'"
        ) from error
    return found
