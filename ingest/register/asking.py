"""Asks at the command line for what a new patient's form needs; names and numbers are never arguments."""

from collections.abc import Sequence
from typing import Any

import click

from ingest.register.inclusions import Given
from models.register import Organisation, OrganisationKind


def person() -> dict[str, Any]:
    """Who somebody is. The number does not show while it is typed."""
    identity: dict[str, Any] = {
        "family_name": click.prompt("Family name (achternaam)"),
        "given_names": click.prompt("Given names (voornamen)", default="", show_default=False),
        "birth_date": click.prompt("Birth date, YYYY-MM-DD"),
        "bsn": click.prompt("BSN (not shown; empty when there is none)", default="", hide_input=True) or None,
    }
    if identity["bsn"] is None:
        identity["without_bsn"] = click.prompt("Why is there no BSN")
    if click.confirm("A contact person or mantelzorger", default=False):
        identity["contacts"] = [
            {
                "name": click.prompt("  Name"),
                "relation": click.prompt(
                    "  Is a", type=click.Choice(["mantelzorger", "contact"]), default="mantelzorger"
                ),
                "phone": click.prompt("  Phone", default="", show_default=False) or None,
                "may_be_told": click.confirm("  May be told how things are", default=False),
            }
        ]
    return identity


def wanted() -> dict[str, Any]:
    """By what a patient is searched."""
    bsn = click.prompt("BSN (not shown; empty to search by name)", default="", hide_input=True)
    if bsn:
        return {"bsn": bsn}
    return {
        "family_name": click.prompt("Family name (achternaam)"),
        "birth_date": click.prompt("Birth date, YYYY-MM-DD"),
    }


def programmes(given: Given) -> list[dict[str, Any]]:
    """In which programmes; the register knows which there are."""
    names = given.catalogue.names
    click.echo(f"Programmes: {', '.join(names) or 'none yet: start `thuiswacht alerting` once'}")
    chosen = click.prompt("In which (several separated by spaces)")
    return [{"programme": name} for name in chosen.split()]


def huisarts(given: Given) -> str | None:
    """Which practice, by its number in a list or its id."""
    kind = OrganisationKind.GP_PRACTICE
    return one_of([one for one in given.organisations.values() if one.kind is kind], "Huisarts")


def one_of(organisations: Sequence[Organisation], what: str) -> str | None:
    """Lets choose from a list; None where nothing is chosen."""
    for number, one in enumerate(organisations, 1):
        click.echo(f"  {number}. {one.name}")
    chosen = click.prompt(f"{what}: number or id (empty: unknown)", default="", show_default=False)
    if chosen.isdigit() and 0 < int(chosen) <= len(organisations):
        return str(organisations[int(chosen) - 1].organisation_id)
    return chosen or None
