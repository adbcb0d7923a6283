"""Making the list: what is sought from the database, names opened, everything said in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

from alerting.console.worklist.rows import Row, RuleTexts, Seeing, rows_of
from alerting.engine.programme_files import PACKAGED, load_folder
from alerting.explain.vocabulary import Both, Language
from alerting.worklist.handling import Rules
from ingest.acting import Acting
from models.alerts import Alert
from models.clock import MINUTE_US
from models.db.identity import identities
from models.db.open_patients import OpenAlert, Sought, list_ids, list_open, reasons_of
from models.db.positions import dispatch_now_us
from models.db.worklist import names_of
from models.identity import Identity, Keys, plain_name

PAGE = 50
LARGEST = 500


@dataclass(frozen=True, slots=True, eq=False)
class Called:
    """What programmes and their rules are called, in both languages; one for each folder."""

    rules: RuleTexts
    programmes: Mapping[str, Both]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows, whether there are more, and by what they were made."""

    rows: Sequence[Row]
    has_more: bool
    seeing: Seeing
    called: Called
    mark: str
    """By which a browser says what it shows already."""


async def make_listing(
    act: Acting, rules: Rules, keys: Keys, language: Language, sought: Sought, *, limit: int = PAGE
) -> Listing:
    """The list for who acts; each patient in it is on record as looked at. **Raises**: TryAgain."""
    found = await _find(act, rules, sought, limit)
    return await _listing_of(act, rules, keys, language, found)


async def make_if_new(
    act: Acting, rules: Rules, keys: Keys, language: Language, sought: Sought, *, limit: int, mark: str
) -> Listing | None:
    """The same, where it is another than the one with this mark: of most changes most lists show nothing.

    **Raises**: TryAgain.
    """
    found = await _find(act, rules, sought, limit)
    if found.mark == mark:
        act.details = "nothing new"
        return None
    return await _listing_of(act, rules, keys, language, found)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the database gave for a list, at what time. **Units**: microseconds since 1970 UTC."""

    patients: Sequence[tuple[OpenAlert, ...]]
    has_more: bool
    now_us: int

    @property
    def mark(self) -> str:
        """Another for each change of what the list says, and for each minute: it says how long ago.

        Of this process: another would draw the list anew for nothing, once.
        """
        return f"{hash((tuple(self.patients), self.has_more, self.now_us // MINUTE_US)) % 2**64:x}"


async def _find(act: Acting, rules: Rules, sought: Sought, limit: int) -> _Found:
    now_us = await dispatch_now_us(act.connection, rules.settings)
    found = await list_open(act.connection, sought, limit=limit + 1, now_us=now_us)
    return _Found(found[:limit], len(found) > limit, now_us)


async def _listing_of(act: Acting, rules: Rules, keys: Keys, language: Language, found: _Found) -> Listing:
    alerts = [one.alert for row in found.patients for one in row]
    ids = [row[0].alert.patient_id for row in found.patients]
    act.touched += ids
    act.details = f"{len(alerts)} alerts of {len(ids)} patients"
    called = called_in(rules.settings.programmes or PACKAGED)
    seeing = Seeing(
        user=act.user,
        now_us=found.now_us,
        language=language,
        policies=rules.policies,
        rule_texts=called.rules,
        names=await _offered_to(act, alerts),
    )
    reasons = await reasons_of(act.connection, alerts) if alerts else {}
    named = await identities(act.connection, keys, patients=ids) if ids else {}
    rows = rows_of(found.patients, reasons, named, seeing)
    return Listing(rows, found.has_more, seeing, called, found.mark)


async def find_named(act: Acting, rules: Rules, keys: Keys, name: str, sought: Sought) -> tuple[UUID, ...]:
    """The patients of the list whose name and year of birth begin with each of the words.

    Names are sealed: those of the whole list are opened here, and forgotten but for who fits.
    **Raises**: TryAgain.
    """
    now_us = await dispatch_now_us(act.connection, rules.settings)
    ids = await list_ids(act.connection, sought, now_us=now_us)
    found = await identities(act.connection, keys, patients=ids)
    return tuple(patient_id for patient_id, identity in found.items() if is_called(identity, name))


def is_called(identity: Identity, wanted: str) -> bool:
    """Whether each word is the beginning of one in somebody's name, or their year of birth.

    >>> from datetime import date
    >>> anna = Identity(family_name="de Vries", given_names="Anna", birth_date=date(1950, 1, 1))
    >>> is_called(anna, "vri 1950")
    True
    """
    words = [*plain_name(f"{identity.family_name} {identity.given_names}").split()]
    year = str(identity.birth_date.year)
    years = [word for word in wanted.split() if word.isdigit()]
    letters = plain_name(wanted).split()
    fits = all(any(word.startswith(part) for word in words) for part in letters)
    return fits and all(one == year for one in years) and bool(letters or years)


@cache
def called_in(folder: Path) -> Called:
    """What the programmes of a folder and their rules are called."""
    programmes = load_folder(folder)
    return Called(
        rules={
            (one.programme, one.version, name): Both(rule.text.nl, rule.text.en)
            for one in programmes
            for name, rule in one.rules.items()
        },
        programmes={one.programme: Both(one.title.nl, one.title.en) for one in programmes},
    )


async def of_patient(act: Acting, rules: Rules, patient_id: UUID) -> tuple[OpenAlert, ...]:
    """Every unresolved alert of a patient, also those that are out of sight. **Raises**: TryAgain."""
    now_us = await dispatch_now_us(act.connection, rules.settings)
    sought = Sought(patients=(patient_id,), held_back=True, asleep=True)
    found = await list_open(act.connection, sought, limit=1, now_us=now_us)
    return found[0] if found else ()


async def _offered_to(act: Acting, alerts: Sequence[Alert]) -> dict[UUID, str]:
    offers = [alert.hand_over for alert in alerts if alert.hand_over is not None]
    ids = [offer.person_id or offer.organisation_id for offer in offers]
    return await names_of(act.connection, ids) if ids else {}
