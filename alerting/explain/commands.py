"""`thuiswacht explain`."""

import json
from pathlib import Path
from uuid import UUID

import click

from ingest.on_command import acting_options, who_of


@click.command()
@click.argument("finding_id", type=click.UUID)
@click.option(
    "--language", type=click.Choice(["nl", "en"]), help="Only this language. Default: both, Dutch first."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
@acting_options(required=False)
@click.option(
    "--programmes",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of programme files, in place of those that come with Thuiswacht.",
)
def explain(
    finding_id: UUID,
    language: str | None,
    as_json: bool,
    person_id: UUID | None,
    role: str | None,
    organisation_id: UUID | None,
    postgres: str | None,
    programmes: Path | None,
) -> None:
    """Say in Dutch and English why a finding is there: values, limits and whose they are, readings.

    In a trial database anybody may ask, who can reach it. In a live one somebody who may see the patient does
    (--as), and it is on record that they looked. What it prints is about a patient: handle it as such.
    """
    import asyncio

    from alerting.engine.programme_files import PACKAGED, load_folder
    from alerting.explain.page import page
    from alerting.explain.stored import explain_stored
    from alerting.explain.structure import structure
    from alerting.explain.vocabulary import Language
    from models.settings import load_settings

    settings = load_settings(postgres=postgres, programmes=programmes)
    folder = load_folder(settings.programmes or PACKAGED)
    who = None if person_id is None else who_of(person_id, organisation_id, role)
    explanation = asyncio.run(explain_stored(settings.postgres_dsn, finding_id, folder, who))
    languages = list(Language) if language is None else [Language(language)]
    if as_json:
        click.echo(json.dumps(structure(explanation, languages), ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(page(explanation, one) for one in languages), nl=False)
