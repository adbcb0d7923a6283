"""The commands `programme …`: whether files are right, what they say, and what a candidate would change."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from ingest.on_command import acting_options
from models.errors import BadInput

if TYPE_CHECKING:
    from alerting.engine.programme import Programme
    from alerting.explain.vocabulary import Language

MARKS = ("S", "M", "P")


@click.group()
def programme() -> None:
    """Checks programme files, lists what the rules of a folder say, and compares versions."""


@programme.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path))
def check(files: Sequence[Path]) -> None:
    """Says of each FILE whether it is a right programme, and what is wrong with it, each with its line.

    Exit codes: 0 all are right, 65 some are not.
    """
    from alerting.engine.programme_files import load_file
    from alerting.yaml_files import BadFile

    errors: list[BadInput] = []
    for file in files:
        try:
            loaded = load_file(file)
        except BadFile as bad:
            errors += bad.errors
        else:
            rules = "1 rule" if len(loaded.rules) == 1 else f"{len(loaded.rules)} rules"
            click.echo(f"{file.name}: {_name(loaded)}, {rules}, {loaded.hash}")
    if errors:
        raise BadFile(errors)


@programme.command("list")
@click.option(
    "--programmes",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of programme files, in place of those that come with Thuiswacht.",
)
@click.option("--rules", "with_rules", is_flag=True, help="Each rule with signal, severity and mark as well.")
def show(folder: Path | None, *, with_rules: bool) -> None:
    """Lists the programmes of a folder, and how far their numbers can be trusted.

    S: read in its source. M: from memory. P: our own proposal, without authority.
    """
    from alerting.engine.programme_files import PACKAGED, load_folder

    loaded = load_folder(folder or PACKAGED)
    head = ("programme", "version", "title", "titel", "rules", *MARKS)
    _echo_table([head, *(_line(one) for one in loaded)])
    if with_rules:
        for one in loaded:
            click.echo(f"\n{_name(one)}")
            _echo_table([("rule", "signal", "severity", "mark"), *_rules(one)])


@programme.command()
@click.argument("files", nargs=-1, metavar="[A.yaml B.yaml]", type=click.Path(path_type=Path))
@click.option(
    "--shadow",
    "group",
    metavar="GROUP",
    help="In place of files: what the nurses see, beside what they would see of the candidates of a shadow.",
)
@click.option("--from", "begins", metavar="TIME", help="With --shadow: from then on, by the log's clock.")
@click.option(
    "--to", "ends", metavar="TIME", help="With --shadow: until then. Default: as far as it has come."
)
@click.option("--reason", metavar="TEXT", help="With --as: why somebody looks, for the audit log.")
@click.option(
    "--language", type=click.Choice(["nl", "en"]), help="Only this language. Default: both, Dutch first."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
@acting_options(required=False)
@click.pass_context
def diff(
    context: click.Context,
    files: Sequence[Path],
    group: str | None,
    begins: str | None,
    ends: str | None,
    reason: str | None,
    language: str | None,
    person_id: UUID | None,
    role: str | None,
    organisation_id: UUID | None,
    postgres: str | None,
    *,
    as_json: bool,
) -> None:
    """Says what B says otherwise than A: rules, limits, times of measuring, texts.

    Exit codes with two files, as diff has them: 0 they say the same, 1 they do not; 65 a file is wrong.

    With --shadow it says what the nurses would have seen, had the candidates been in use: which alerts, by
    rule, how many. Figures only, none about fewer than ten patients in a live database; with --as also
    examples, of patients whom that person may see, and it is on record that they looked.
    """
    from alerting.explain.vocabulary import Language

    languages = list(Language) if language is None else [Language(language)]
    if group is None:
        # Who is asked for by --as may be in the environment as well: that is no mistake here.
        if len(files) != 2 or begins or ends or reason:
            raise click.UsageError("Either two files, or --shadow GROUP with what belongs to it.")
        context.exit(_echo_differences(files[0], files[1], languages, as_json=as_json))
    if files:
        raise click.UsageError("Either two files, or --shadow GROUP.")
    from alerting.shadow.seen import asked, compare_shadow
    from alerting.shadow.seen_in_words import page, structure
    from ingest.on_command import who_of
    from models.settings import load_settings

    settings = load_settings(postgres=postgres)
    who = None if person_id is None else who_of(person_id, organisation_id, role)
    compared = asyncio.run(compare_shadow(settings, asked(group, begins, ends), who, reason))
    if as_json:
        click.echo(json.dumps(structure(compared), ensure_ascii=False, indent=2))
        return
    click.echo("\n\n".join("\n".join(page(compared, one)) for one in languages))


def _echo_differences(first: Path, second: Path, languages: "Sequence[Language]", *, as_json: bool) -> int:
    """Says it; the exit code."""
    from alerting.engine.programme_files import load_file
    from alerting.programmes.differences import differences
    from alerting.programmes.differences_in_words import page, structure

    before, after = load_file(first), load_file(second)
    found = differences(before, after)
    if as_json:
        click.echo(json.dumps(structure(before, after, found), ensure_ascii=False, indent=2))
    else:
        click.echo("\n\n".join("\n".join(page(before, after, found, one)) for one in languages))
    return 1 if found else 0


@programme.command("forget-shadow")
@click.argument("group", metavar="GROUP")
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
def forget(group: str, postgres: str | None) -> None:
    """Deletes a shadow with all that it found. A worker of it that still runs ends."""
    from alerting.shadow.forgetting import forget_shadow
    from models.settings import load_settings

    gone = asyncio.run(forget_shadow(load_settings(postgres=postgres).postgres_dsn, group))
    click.echo(f"{group} is forgotten, with {gone} findings.")


@programme.command("show")
@click.argument("name")
@click.option("--version", "number", type=int, help="Which of its versions. Default: the newest.")
def text(name: str, number: int | None) -> None:
    """Prints the file of the programme NAME that comes with Thuiswacht: to be read, or changed and tried."""
    from alerting.engine.programme_files import PACKAGED, load_file

    files = {
        (one.programme, one.version): file for file in PACKAGED.glob("*.yaml") for one in [load_file(file)]
    }
    versions = [version for known, version in files if known == name]
    if not versions:
        expected = f"one of {', '.join(sorted({known for known, _ in files}))}"
        raise BadInput(where="programme", expected=expected, found=name)
    if number is not None and number not in versions:
        expected = f"a version of {name}: {', '.join(map(str, sorted(versions)))}"
        raise BadInput(where="--version", expected=expected, found=str(number))
    click.echo(files[name, number or max(versions)].read_text(encoding="utf-8"), nl=False)


def _name(of: "Programme") -> str:
    return f"{of.programme} {of.version}"


def _line(of: "Programme") -> tuple[str, ...]:
    marks = Counter(limit.mark for limit in of.limits.values())
    counts = (str(marks[mark]) for mark in MARKS)
    return of.programme, str(of.version), of.title.en, of.title.nl, str(len(of.rules)), *counts


def _rules(of: "Programme") -> Iterable[tuple[str, ...]]:
    for name, rule in of.rules.items():
        worse = f" → {rule.raise_.severity}" if rule.raise_ is not None else ""
        yield name, rule.signal, f"{rule.severity}{worse}", rule.mark


def _echo_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows of the same length as columns, the first row as their heads."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
