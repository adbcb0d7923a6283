"""What a patient can be included in, as the form offers it: limits with unit and meaning, schedules. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from alerting.engine.programme import Limit, Programme, Schedule
from alerting.explain import figures
from alerting.explain.amounts import unit_words
from alerting.explain.vocabulary import WEEKDAYS, Both, Language, kind_name
from alerting.notify.letter.words import LANGUAGES
from ingest.register.inclusions import DEVICES, Given
from models.findings import CODE_UNIT
from models.messages import Origin
from models.programmes import Offered
from models.register import Organisation, OrganisationKind

_EVERY_DAY = Both("elke dag", "every day")
_LASTING: Mapping[str, Both] = {
    "d": Both("dagen", "days"),
    "h": Both("uur", "hours"),
    "min": Both("minuten", "minutes"),
    "s": Both("seconden", "seconds"),
}
_TWO_LETTERS = 2


@dataclass(frozen=True, slots=True)
class LimitOffer:
    """A limit that can be set for one patient; everything but the name as it is read."""

    name: str
    meaning: str
    unit: str
    default: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class ScheduleOffer:
    """What is measured when, unless it is set for one patient."""

    name: str
    kind: str
    before: str
    on: str


@dataclass(frozen=True, slots=True)
class ProgrammeOffer:
    """A programme in its newest version."""

    name: str
    version: int
    title: str
    limits: Sequence[LimitOffer]
    schedules: Sequence[ScheduleOffer]


@dataclass(frozen=True, slots=True)
class Offers:
    """All that the form lets choose. `centres` only where there are several."""

    programmes: Sequence[ProgrammeOffer]
    practices: Sequence[Organisation]
    centres: Sequence[Organisation]
    centre_id: UUID | None
    languages: Sequence[tuple[str, str]]


def offers_of(given: Given, texts: Sequence[Programme], language: Language) -> Offers:
    """What there is for the patients of who includes."""
    origin = Origin.REAL if Origin.REAL in given.origins else Origin.SIMULATED
    known = [one for one in given.organisations.values() if one.origin in (None, origin)]
    centres = [one for one in known if one.kind is OrganisationKind.MONITORING_CENTRE]
    own = next((one.organisation_id for one in centres if one.organisation_id == given.organisation_id), None)
    return Offers(
        programmes=sorted(_programmes(given, texts, language), key=lambda one: one.title.casefold()),
        practices=[one for one in known if one.kind is OrganisationKind.GP_PRACTICE],
        centres=centres if len(centres) > 1 else (),
        centre_id=own,
        languages=sorted(
            ((code, both.said(language)) for code, both in LANGUAGES.items() if len(code) == _TWO_LETTERS),
            key=lambda pair: (pair[0] != "nl", pair[1]),
        ),
    )


def _programmes(given: Given, texts: Sequence[Programme], language: Language) -> Iterator[ProgrammeOffer]:
    by_version = {(one.programme, one.version): one for one in texts}
    for name in given.catalogue.names:
        # The programme about devices is for everybody, without being chosen.
        if name == DEVICES:
            continue
        offered = given.catalogue.find(name)
        said = by_version.get((offered.programme, offered.version))
        yield ProgrammeOffer(
            name=offered.programme,
            version=offered.version,
            title=Both(offered.dutch, offered.english).said(language),
            limits=list(_limits(offered, {} if said is None else said.limits, language)),
            schedules=list(_schedules(offered, {} if said is None else said.schedule, language)),
        )


def _limits(offered: Offered, texts: Mapping[str, Limit], language: Language) -> Iterator[LimitOffer]:
    """Those that can differ and are numbers: what answers count is no matter of one patient."""
    # In the order of the file, in which they are thought of; the catalogue has none.
    places = {name: place for place, name in enumerate(texts)}
    for name, limit in sorted(offered.limits.items(), key=lambda pair: places.get(pair[0], len(places))):
        if limit.low == limit.high or limit.unit == CODE_UNIT:
            continue
        text = texts.get(name)
        meaning = name if text is None else Both(text.text.nl, text.text.en).said(language)
        default, low, high = (
            figures.exact(value, language) for value in (limit.default, limit.low, limit.high)
        )
        yield LimitOffer(name, meaning, _unit(limit.unit, language), default, low, high)


def _unit(unit: str, language: Language) -> str:
    lasting = _LASTING.get(unit)
    return unit_words(unit, "", 2, language) if lasting is None else lasting.said(language)


def _schedules(
    offered: Offered, texts: Mapping[str, Schedule], language: Language
) -> Iterator[ScheduleOffer]:
    for name in offered.schedules:
        usual = texts.get(name)
        if usual is None:
            yield ScheduleOffer(name, name, "", "")
        else:
            yield ScheduleOffer(
                name, kind_name(usual.kind, language), usual.before, days_said(usual.on, language)
            )


def days_said(on: Sequence[str], language: Language) -> str:
    """Days of the week in a few letters.

    >>> days_said(("mon", "thu"), Language.NL), days_said(tuple(WEEKDAYS), Language.EN)
    ('ma, do', 'every day')
    """
    if set(on) == set(WEEKDAYS):
        return _EVERY_DAY.said(language)
    letters = 2 if language is Language.NL else 3
    return ", ".join(WEEKDAYS[day].said(language)[:letters] for day in WEEKDAYS if day in on)
