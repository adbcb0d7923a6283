"""The canaries' programme, which every alerting worker has beside the others, wherever those are from."""

from collections.abc import Sequence
from pathlib import Path

from alerting.engine.programme import Programme
from alerting.engine.programme_files import load_file
from models.errors import RefuseToStart
from models.programmes import CANARY

FILE = Path(__file__).parent / "canary.yaml"


def with_canary(programmes: Sequence[Programme]) -> tuple[Programme, ...]:
    """All of them and the canaries'. **Raises**: RefuseToStart where one goes by that name."""
    if any(programme.programme == CANARY for programme in programmes):
        raise RefuseToStart(
            f"A programme is named {CANARY}, as the one by which the service watches itself: "
            "give it another name."
        )
    return (*programmes, load_file(FILE))
