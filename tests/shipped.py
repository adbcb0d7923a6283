"""What comes with Thuiswacht, read once for all tests of a process: reading it takes half a second."""

from functools import cache

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.programme import Programme
from alerting.engine.programme_files import load_folder
from alerting.escalation.policy import Policies
from alerting.escalation.policy_files import load_policies
from alerting.escalation.roster import RosterBook
from alerting.escalation.roster_files import load_rosters
from simulators.simulate import newest_programmes


@cache
def programmes() -> tuple[Programme, ...]:
    """All programmes."""
    return load_folder()


@cache
def programme(name: str, version: int = 1) -> Programme:
    """The programme with this name; its first version, of which most stories are told, or another."""
    (found,) = (one for one in programmes() if (one.programme, one.version) == (name, version))
    return found


@cache
def newest() -> tuple[Programme, ...]:
    """Of each programme the newest version."""
    return tuple(newest_programmes(None).values())


@cache
def compiled() -> CompiledProgrammes:
    """All programmes, as the engine takes them."""
    return compile_programmes(programmes())


@cache
def rosters() -> RosterBook:
    """All rosters."""
    return load_rosters()


@cache
def policies() -> Policies:
    """All policies."""
    return load_policies(rosters=rosters())
