"""`thuiswacht simulate --via http`: uploads through a gate that runs, all else of a scenario into its log."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from uuid import UUID

from ingest.log import cluster_of
from ingest.on_command import Who
from models.access import Role
from models.errors import BadInput
from models.settings import Settings
from simulators.gate.answers import Answered, Answers
from simulators.gate.credentials import Credentials, Signed, Tokens, read_key, read_secret
from simulators.gate.preparing import enter_patients, organisation_of
from simulators.gate.requests import Format
from simulators.gate.sending import Gate, connected
from simulators.gate.sink import ThroughGate, Way
from simulators.pace import Pace
from simulators.scenarios.scenario import Scenario
from simulators.send import open_sender
from simulators.simulate import LOG, Done, require_trial_database, simulate
from simulators.wire import Encoder


@dataclass(frozen=True, slots=True)
class Given:
    """What the options say, as they say it."""

    out: str
    gate: str | None
    client_id: str | None
    key: Path | None
    secret: Path | None
    form: str
    person_id: UUID | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Through which gate, by what it knows us, whose patients they are, and who includes them."""

    url: str
    credentials: Credentials
    form: Format
    organisation_id: UUID
    person_id: UUID


@dataclass(slots=True)
class DoneByHttp(Done):
    """What has been put out, and of the uploads what the gate answered."""

    answers: Mapping[str, int] = field(default_factory=dict[str, int])
    requests: int = 0
    requests_again: int = 0


async def wanted(settings: Settings, given: Given) -> Wanted:
    """What the options ask for, in a trial database, of a client that is there.

    **Raises**: BadInput; RefuseToStart when the database is not known to be a trial one.
    """
    if given.out != LOG:
        raise BadInput(where="--out", expected="--out kafka beside --via http", found=given.out)
    if given.client_id is None or given.person_id is None:
        raise BadInput(where="--via http", expected="--client ID and --as ID beside it", found="not both")
    await require_trial_database(settings)
    url = given.gate or f"http://{settings.gateway_host}:{settings.gateway_port}"
    audience = settings.gateway_public_url or url
    return Wanted(
        url,
        _credentials(given, given.client_id, audience),
        Format(given.form),
        await organisation_of(settings, given.client_id),
        given.person_id,
    )


def _credentials(given: Given, client_id: str, audience: str) -> Credentials:
    if given.key is not None and given.secret is None:
        return Tokens(client_id, read_key(given.key), audience)
    if given.secret is not None and given.key is None:
        return Signed(client_id, read_secret(given.secret))
    expected = "one of --key FILE.pem and --secret FILE"
    raise BadInput(where="--via http", expected=expected, found="none of them, or both")


async def put_through_gate(
    wanted: Wanted, settings: Settings, scenario: Scenario, encoder: Encoder, pace: Pace, *, quiet: bool
) -> DoneByHttp:
    """Puts a scenario out: what was done, and what the gate answered.

    **Raises**: BadInput; TryAgain when the gate, the log or the register is away; Broken when the gate does
    not know the client.
    """
    answers = Answers()
    await cluster_of(settings)
    await enter_patients(settings, scenario, Who(wanted.person_id, wanted.organisation_id, Role.ENGINEER))
    async with (
        open_sender(settings, scenario.patient_texts) as sender,
        connected(wanted.url) as http,
    ):
        way = Way(Gate(http, wanted.credentials, answers), wanted.form)
        done = await simulate(scenario, encoder, ThroughGate(sender, lambda _: way), pace, quiet=quiet)
    if not quiet:
        said = ", ".join(f"{n:,} {name}" for name, n in sorted(answers.uploads.items()))
        sys.stderr.write(f"the gate answered: {said} ({answers.again:,} requests sent again)\n")
    told = {one.value: answers.uploads[one] for one in Answered}
    more = DoneByHttp(answers=told, requests=answers.requests, requests_again=answers.again)
    return replace(more, **asdict(done))
