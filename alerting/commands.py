"""The commands `alerting` and `dispatch`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from models.settings import Settings


@click.command()
@click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. Default: THUISWACHT_KAFKA.")
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
@click.option("--topic", metavar="NAME", help="The topic of the log. Default: THUISWACHT_TOPIC.")
@click.option(
    "--programmes",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of programme files, in place of those that come with Thuiswacht.",
)
@click.option("--probes-port", type=int, metavar="PORT", help="Port of /metrics, /healthz, /readyz; 0: none.")
@click.option(
    "--shadow", is_flag=True, help="Try candidates beside what is in use: nobody sees what they find."
)
@click.option(
    "--programme",
    "candidates",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --shadow: a candidate, for everybody who is in the programme of its name, in any version. "
    "Again for another programme.",
)
@click.option(
    "--from",
    "begins",
    metavar="TIME|earliest|now",
    help="With --shadow: from where in the log on, by its own clock, when it is new. Default: now.",
)
@click.option(
    "--group",
    metavar="NAME",
    help="With --shadow: its consumer group. Default: made of the candidates and their hash.",
)
def alerting(
    kafka: str | None,
    postgres: str | None,
    topic: str | None,
    programmes: Path | None,
    probes_port: int | None,
    candidates: Sequence[Path],
    begins: str | None,
    group: str | None,
    *,
    shadow: bool,
) -> None:
    """Evaluates the rules on every reading of the log, and keeps the findings and alerts.

    Runs until SIGTERM or Ctrl-C, which finish the batch in flight; killed, it goes on where it was. Start as
    many as you like, up to one for each partition of the log: they share the patients. Needs no other
    service, but for restarting: what `ingest` has stored is what its state is built from.

    With --shadow it runs candidate versions on the same log, from a chosen point on: what they find is kept
    apart, raises no alert and is told to nobody. Several share the patients by having the same --group.
    `thuiswacht programme diff --shadow GROUP` says what the nurses would have seen.
    """
    from models.settings import load_settings

    settings = load_settings(
        kafka=kafka, postgres=postgres, topic=topic, programmes=programmes, probes_port=probes_port
    )
    if shadow:
        from alerting.shadow.service import NOW, run, wanted

        if not candidates or programmes is not None:
            raise click.UsageError("--shadow needs its candidates by --programme FILE, and no --programmes.")
        run(wanted(candidates, begins or NOW, group, settings), settings)
        return
    if candidates or begins or group:
        raise click.UsageError("--programme, --from and --group are for --shadow.")
    _serve(settings)


def _serve(settings: "Settings") -> None:
    """The programmes that are in use, for real."""
    import asyncio

    from alerting.duties import on_duty
    from alerting.engine.compiled import compile_programmes
    from alerting.engine.programme_files import PACKAGED, load_folder
    from alerting.escalation.policy_files import load_policies
    from alerting.insight.keeping import keep_figures
    from alerting.insight.wijken import load_wijken
    from alerting.warm_up import warm_up
    from alerting.watch.programme import with_canary
    from alerting.worker import AlertingHandler
    from ingest.service import serve, together
    from models import logs

    logs.configure(settings.log_level)
    compiled = compile_programmes(with_canary(load_folder(settings.programmes or PACKAGED)))
    policies = load_policies()
    wijken = load_wijken(settings.wijken)
    warm_up(compiled)
    asyncio.run(
        serve(
            lambda pool, moved: AlertingHandler(pool, compiled, policies, settings, moved=moved),
            settings,
            role="thuiswacht_alerting",
            application="thuiswacht-alerting",
            beside=lambda pool, stop: together(
                stop, on_duty(pool, settings, stop=stop), keep_figures(pool, settings, wijken, stop)
            ),
        )
    )


@click.command()
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
@click.option("--probes-port", type=int, metavar="PORT", help="Port of /metrics, /healthz, /readyz; 0: none.")
def dispatch(postgres: str | None, probes_port: int | None) -> None:
    """Sees to it that somebody acts on every alert: asks the next when nobody does, and sends the messages.

    Runs until SIGTERM or Ctrl-C, which finish the batch in flight; killed, it goes on where it was. Start as
    many as you like: they share what is due. One of them at a time looks whether an open alert was forgotten.
    """
    import asyncio

    from alerting.escalation.service import load_ladder, serve
    from models import logs
    from models.settings import load_settings

    settings = load_settings(postgres=postgres, probes_port=probes_port)
    logs.configure(settings.log_level)
    asyncio.run(serve(settings, load_ladder()))
