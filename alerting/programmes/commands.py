"""The commands `programme check`, `list` and `show`: whether files are right, and what they say."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from models.errors import BadInput

if TYPE_CHECKING:
    from alerting.engine.programme import Programme

MARKS = ("S", "M", "P")


@click.group()
def programme() -> None:
    """Checks programme files, and lists what the rules of a folder say."""


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


@programme.command("show")
@click.argument("name")
def text(name: str) -> None:
    """Prints the file of the programme NAME that comes with Thuiswacht: to be read, or changed and tried."""
    from alerting.engine.programme_files import PACKAGED

    file = PACKAGED / f"{name}.yaml"
    known = sorted(one.stem for one in PACKAGED.glob("*.yaml"))
    if name not in known:
        raise BadInput(where="programme", expected=f"one of {', '.join(known)}", found=name)
    click.echo(file.read_text(encoding="utf-8"), nl=False)


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
