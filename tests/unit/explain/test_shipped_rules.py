"""Every rule that is shipped can be explained, in both languages, on a page of 80 columns."""

import re
from uuid import UUID

import pytest

from alerting.engine.expressions import comparisons
from alerting.engine.programme import Programme
from alerting.explain.explanation import Known, explain
from alerting.explain.page import WIDTH, page
from alerting.explain.vocabulary import Language
from models.findings import Evidence, Finding, finding_id
from tests import shipped
from tests.unit.explain.findings import OPENED_US, PATIENT

RULES = [(programme, rule) for programme in shipped.programmes() for rule in programme.rules]


def at_its_limits(programme: Programme, name: str) -> Finding:
    """A finding whose every feature, for opening and rising, has just the value of its limit."""
    rule = programme.rules[name]
    opening, *rest = (
        tuple(
            Evidence(str(c.feature), limit.default, limit.unit, c.limit, limit.default, str(c.comparator))
            for c in comparisons(condition)
            for limit in [programme.limits[c.limit]]
        )
        for field, condition in rule.conditions()
        if field != "clear"
    )
    return Finding(
        finding_id=finding_id(PATIENT, programme.programme, name, OPENED_US),
        patient_id=PATIENT,
        organisation_id=UUID(int=2),
        log_partition=0,
        programme=programme.programme,
        version=programme.version,
        rule=name,
        signal=rule.signal,
        severity=rule.severity,
        opened_at_us=OPENED_US,
        opening=opening,
        programme_hash=programme.hash,
        raised_at_us=OPENED_US if rest else None,
        raised=rest[0] if rest else (),
    )


@pytest.mark.parametrize(("programme", "name"), RULES, ids=[f"{p.programme}/{rule}" for p, rule in RULES])
def test_it_can_be_explained(programme: Programme, name: str) -> None:
    explanation = explain(Known(at_its_limits(programme, name), programme), {})
    rule = programme.rules[name]
    for language, text in ((Language.NL, rule.text.nl), (Language.EN, rule.text.en)):
        said = page(explanation, language)
        assert " ".join(said.split()).startswith(" ".join(text.split()))
        assert max(map(len, said.splitlines())) <= WIDTH
        assert not re.search(r"[{}]|None", said)
        assert all(part.compared is not None for because in explanation.because for part in because.parts)
