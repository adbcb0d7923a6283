"""Figures for plan-do-check-act."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from alerting.console.frame import page, speaker_of
from alerting.console.insight.cards import Names, cards_of, rows_of
from alerting.console.insight.exports import as_csv, as_json, file_name
from alerting.console.insight.words import days, said
from alerting.console.texts import Speaker
from alerting.explain.vocabulary import Language
from alerting.insight.measures import NAMES
from alerting.insight.report import GROUPINGS, JUDGEMENTS, Report
from ingest.acting import Acting
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.db import figures
from models.db.programmes import catalogue, rule_texts
from models.db.worklist import names_of
from models.errors import NotThere
from models.escalations import Recipient
from models.figures import ALL_PROGRAMMES, Level

routes = Routes("/console", "console")


class Period(StrEnum):
    """How many weeks."""

    MONTH = "4"
    QUARTER = "13"
    YEAR = "52"


class By(StrEnum):
    """By what patients are put into groups."""

    PROGRAMME = "programme"
    ORGANISATION = "organisation"
    MUNICIPALITY = "municipality"
    WIJK = "wijk"
    LANGUAGE = "language"


class Asked:
    """What somebody wants to see, from the address: nothing in it is about anybody."""

    def __init__(
        self,
        weeks: Period = Period.MONTH,
        by: By = By.PROGRAMME,
        programme: Annotated[str, Query(max_length=100, pattern=r"^[a-z0-9_]*$")] = ALL_PROGRAMMES,
    ) -> None:
        self.weeks = weeks
        self.by = By.MUNICIPALITY if programme and by is By.PROGRAMME else by
        self.programme = programme

    @property
    def query(self) -> str:
        """The same for another address."""
        return f"weeks={self.weeks}&by={self.by}&programme={self.programme}"


ByAsked = Annotated[Asked, Depends(Asked)]


@routes.route("GET", "/insight", action=Action.INSIGHT_READ, kind=Kind.READ)
async def show(request: Request, act: Act, asked: ByAsked) -> HTMLResponse:
    """The figures."""
    t = speaker_of(request)
    report = await _report(act, asked)
    programmes = await _programmes(act, t.language)
    values: dict[str, Any] = {
        "asked": asked,
        "report": report,
        "programmes": programmes,
        "is_region": await figures.sees_the_region(act.connection),
        "figures": NAMES,
        "judgements": JUDGEMENTS,
        "levels": tuple(Level),
        "recipients": tuple(Recipient),
    }
    if report is not None and report.figures is not None:
        names = await _names(act, report, t.language)
        values |= {
            "names": names,
            "cards": cards_of(report, t),
            "rows": rows_of(report.groups.get(asked.by, ()), asked.by, names, t),
        }
    said_here = {"days": days, "said": said}
    return await page(request, act, "insight/page.html.j2", **values, words=said_here)


@routes.route("GET", "/insight/export.csv", action=Action.INSIGHT_READ, kind=Kind.READ)
async def export_csv(request: Request, act: Act, asked: ByAsked) -> Response:
    """The whole report for a spreadsheet."""
    report, names, t = await _exported(request, act, asked)
    return _file(as_csv(report, names, t), "text/csv; charset=utf-8", file_name(report, "csv"))


@routes.route("GET", "/insight/export.json", action=Action.INSIGHT_READ, kind=Kind.READ)
async def export_json(request: Request, act: Act, asked: ByAsked) -> Response:
    """The whole report for programs, with how each figure is counted."""
    report, names, t = await _exported(request, act, asked)
    return _file(as_json(report, names, t), "application/json", file_name(report, "json"))


async def _exported(request: Request, act: Acting, asked: Asked) -> tuple[Report, Names, Speaker]:
    t = speaker_of(request)
    report = await _report(act, asked)
    if report is None:
        raise NotThere("There are no figures of this period and programme yet.")
    return report, await _names(act, report, t.language), t


async def _report(act: Acting, asked: Asked) -> Report | None:
    found = await figures.find_report(act.connection, int(asked.weeks), asked.programme)
    return None if found is None else Report.model_validate_json(found)


async def _programmes(act: Acting, language: Language) -> dict[str, str]:
    return {
        one.programme: one.dutch if language is Language.NL else one.english
        for one in await catalogue(act.connection)
    }


async def _names(act: Acting, report: Report, language: Language) -> Names:
    """What everything in a report is called: programmes, organisations, and rules as programme/rule."""
    organisations = [UUID(group.name) for group in report.groups.get(GROUPINGS[1], ()) if group.name]
    names = {str(one): name for one, name in (await names_of(act.connection, organisations)).items()}
    names |= await _programmes(act, language)
    wanted = {rule.programme for rule in report.rules}
    for programme, rule, dutch, english in await rule_texts(act.connection, wanted):
        text = dutch if language is Language.NL else english
        names[f"{programme}/{rule}"] = text.split(". ")[0].rstrip(".")
    return names


def _file(content: str, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content.encode(), media_type=media_type, headers=headers)
