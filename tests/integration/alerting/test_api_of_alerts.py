"""What people do with alerts by the API: one is faster, the other learns who; what is bad changes nothing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner

import thuiswacht
from models.db.pool import Connection
from tests.integration.alerting.ward import CENTRE, HOSPITAL, PRACTICE, Ward

JANSEN, SMIT, DE_BOER, VISSER, BAKKER, MULDER = (
    "M. Jansen", "P. Smit", "H. de Boer", "A. Visser", "S. Bakker", "K. Mulder",
)  # fmt: skip
ESCALATE = {"recipient": "huisarts", "request": "acute", "reason": "3 kg in drie dagen"}


async def test_the_worklist_has_the_worst_first_and_silence_next(ward: Ward, admin: Connection) -> None:
    one, other = await ward.patient("Loosduinen"), await ward.patient("Segbroek")
    low = await ward.alert(one, "nutrition", "low")
    medium = await ward.alert(one, "fluid", "medium")
    late = await ward.alert(one, "pressure", "high", opened_at="2026-12-01T08:30:00+00:00")
    silence = await ward.alert(other, "silence", "medium")
    high = await ward.alert(other, "breathing", "high")
    await ward.alert(other, "glucose", "high", origin="canary")
    held = await ward.alert(other, "device", "medium", held_back="admission")
    await ward.do(SMIT, medium, "acknowledge", {})

    async def listed(query: str) -> list[str]:
        return [found["alert_id"] for found in (await ward.get(JANSEN, f"/alerts?{query}"))["alerts"]]

    wanted = [str(one) for one in (high, late, silence, medium, low)]
    assert await listed("") == wanted
    told = await admin.fetchrow(
        "SELECT patients, event_code, outcome FROM audit ORDER BY happened_us DESC LIMIT 1"
    )
    assert told is not None
    assert set(told["patients"]) == {one, other}
    assert (told["event_code"], told["outcome"]) == ("alert.read", "allowed")
    assert await listed("wijk=Loosduinen") == [str(a) for a in (late, medium, low)]
    assert await listed("severity=high") == [str(a) for a in (high, late)]
    assert await listed("signal=silence") == [str(silence)]
    assert await listed("state=acknowledged") == [str(medium)]
    assert await listed(f"owner={ward.people[SMIT].person_id}") == [str(medium)]
    assert await listed(f"organisation_id={HOSPITAL}") == []
    assert str(held) in await listed("held_back=true")
    walked: list[str] = []
    after = ""
    while True:
        page = await ward.get(JANSEN, f"/alerts?limit=2{after}")
        walked += [found["alert_id"] for found in page["alerts"]]
        if page["next_page"] is None:
            break
        after = f"&after={page['next_page']}"
    assert walked == wanted
    bad = await ward.ask(JANSEN, "GET", "/alerts?after=here")
    assert (bad.status_code, bad.json()["errors"][0]["where"]) == (422, "after")


async def test_one_alert_with_all_that_belongs_to_it(ward: Ward) -> None:
    alert_id = await ward.alert(await ward.patient())
    await ward.do(JANSEN, alert_id, "acknowledge", {})
    await ward.do(JANSEN, alert_id, "notes", {"text": "gebeld, niet bereikt"})
    await ward.do(JANSEN, alert_id, "escalations", ESCALATE, expect=201)
    shown = await ward.get(JANSEN, f"/alerts/{alert_id}")
    assert shown["owner"]["name"] == JANSEN
    assert shown["responsible"] == {
        "role": "nurse",
        "organisation": {"id": str(CENTRE), "name": "monitoring_centre"},
    }
    assert [one["event"] for one in shown["events"]] == ["opened", "acknowledged", "noted", "escalated"]
    assert shown["events"][2]["by"] == JANSEN
    assert shown["findings"][0]["rule"] == "weight_gain_3d"
    assert shown["findings"][0]["holds"]
    (escalation,) = shown["escalations"]
    assert (escalation["to"]["organisation"]["id"], escalation["state"]) == (str(PRACTICE), "asked")
    (message,) = shown["messages"]
    assert (message["channel"], message["state"], message["number"]) == ("secure_mail", "due", 1)
    assert shown["next"]["why"] == "escalated"
    assert shown["policy"]["steps"][0]["recipient"] == "nurse"


async def test_of_two_nurses_at_once_one_wins_and_the_other_learns_who(ward: Ward) -> None:
    patient_id = await ward.patient()
    for signal in ("fluid", "breathing", "pressure", "glucose", "heart_rate"):
        alert_id = await ward.alert(patient_id, signal)
        claims = [
            ward.ask(name, "POST", f"/alerts/{alert_id}/acknowledge", {"version": 1})
            for name in (JANSEN, SMIT)
        ]
        answers = dict(zip((JANSEN, SMIT), await asyncio.gather(*claims), strict=True))
        assert sorted(one.status_code for one in answers.values()) == [200, 409]
        winner = next(name for name, one in answers.items() if one.status_code == 200)
        lost = next(one for one in answers.values() if one.status_code == 409).json()
        assert lost["now"] == {
            "version": 2,
            "state": "acknowledged",
            "owner": {"person_id": str(ward.people[winner].person_id), "name": winner},
        }
        assert f"{winner} has this alert now." in lost["detail"]


async def test_of_five_different_acts_at_once_one_is_done(ward: Ward, admin: Connection) -> None:
    patient_id = await ward.patient()
    for signal in ("fluid", "breathing", "pressure"):
        alert_id = await ward.alert(patient_id, signal)
        acts: list[tuple[str, str, dict[str, Any]]] = [
            (JANSEN, "acknowledge", {}),
            (SMIT, "resolve", {"outcome": "expected"}),
            (JANSEN, "snooze", {"until": "2026-12-01T09:20:00Z"}),
            (SMIT, "notes", {"text": "gebeld"}),
            (MULDER, "escalations", ESCALATE),
        ]
        answers = await asyncio.gather(
            *(
                ward.ask(who, "POST", f"/alerts/{alert_id}/{what}", {"version": 1, **b})
                for who, what, b in acts
            )
        )
        statuses = sorted(one.status_code for one in answers)
        assert statuses[0] in (200, 201)
        assert statuses[1:] == [409] * 4, [one.text for one in answers]
        row = await admin.fetchrow("SELECT version, state FROM alert WHERE alert_id = $1", alert_id)
        assert row is not None
        assert row["version"] == 2
        assert len(await ward.due(alert_id)) == 1, "it holds still, so it is rechecked where it was resolved"


BAD: list[tuple[str, dict[str, Any], int, str]] = [
    ("resolve", {"outcome": "cured"}, 422, "body.outcome"),
    ("resolve", {"outcome": "by_itself"}, 422, "outcome"),
    ("resolve", {}, 422, "body.outcome"),
    ("hand-over", {}, 422, "body.role"),
    ("hand-over", {"role": "nurse", "organisation_id": str(UUID(int=99))}, 422, "hand_over"),
    ("hand-over", {"role": "specialist", "organisation_id": str(CENTRE)}, 422, "hand_over"),
    (
        "hand-over",
        {"role": "nurse", "organisation_id": str(CENTRE), "person_id": str(UUID(int=99))},
        422,
        "hand_over.person_id",
    ),
    ("snooze", {"until": "2026-12-01T08:59:59Z"}, 422, "until"),
    ("snooze", {"until": "2026-12-02T09:00:00Z"}, 422, "until"),
    ("snooze", {"until": "9999-12-31T23:59:59Z"}, 422, "until"),
    ("snooze", {"until": "2026-12-01T09:10:00"}, 422, "body.until"),
    ("notes", {"text": "   "}, 422, "body.text"),
    ("notes", {"text": "\x00"}, 422, "text"),
    ("notes", {"text": "x", "more": 1}, 422, "body.more"),
    ("acknowledge", {"version": 0}, 422, "body.version"),
    ("acknowledge", {"version": 2**40}, 422, "body.version"),
    ("acknowledge", {"version": 7}, 409, ""),
    ("escalations", {**ESCALATE, "recipient": "dentist"}, 422, "body.recipient"),
    ("escalations", {**ESCALATE, "recipient": "home_visit"}, 422, "recipient"),
    ("escalations", {**ESCALATE, "channels": ["webhook"]}, 422, "channels"),
    ("escalations", {**ESCALATE, "channels": []}, 422, "body.channels"),
    ("escalations", {**ESCALATE, "question": "Furosemide hoger?"}, 422, "answer_within"),
    ("escalations", {**ESCALATE, "reason": ""}, 422, "body.reason"),
    (f"escalations/{UUID(int=5)}/withdraw", {"reason": "x"}, 404, ""),
]


async def test_what_is_bad_is_refused_clearly_and_changes_nothing(ward: Ward, admin: Connection) -> None:
    alert_id = await ward.alert(await ward.patient())
    await ward.do(JANSEN, alert_id, "acknowledge", {})
    before = await ward.stand()
    for what, body, status, where in BAD:
        answered = await ward.ask(JANSEN, "POST", f"/alerts/{alert_id}/{what}", {"version": 2, **body})
        said = (what, body, answered.text)
        assert answered.status_code == status, said
        assert answered.headers["content-type"] == "application/problem+json", said
        told = answered.json()
        if status == 422:
            assert where in [error["where"] for error in told["errors"]], said
            assert all(error["expected"] and error["found"] for error in told["errors"]), said
        else:
            assert told["detail"], said
        assert await ward.stand() == before, said
    refused = await admin.fetchval("SELECT count(*) FROM audit WHERE outcome = 'failed'")
    assert refused == len(BAD)


async def test_nothing_is_done_with_an_alert_that_is_closed(ward: Ward) -> None:
    alert_id = await ward.alert(await ward.patient())
    resolved = await ward.do(
        JANSEN, alert_id, "resolve", {"outcome": "true_acted_on", "note": "medicatie aangepast"}
    )
    assert resolved["recheck_at"] is not None, "its finding holds still"
    before = await ward.stand()
    for what, body in (
        ("acknowledge", {}),
        ("give-back", {}),
        ("snooze", {"until": "2026-12-01T09:20:00Z"}),
        ("resolve", {"outcome": "expected"}),
        ("notes", {"text": "x"}),
        ("hand-over", {"role": "nurse", "organisation_id": str(CENTRE)}),
        ("hand-over/accept", {}),
        ("escalations", ESCALATE),
    ):
        told = await ward.do(SMIT, alert_id, what, body, expect=409)
        assert told["now"]["state"] == "resolved"
    assert await ward.stand() == before


async def test_a_resolve_is_undone_by_who_did_it_and_within_fifteen_minutes(ward: Ward) -> None:
    patient_id = await ward.patient()
    alert_id = await ward.alert(patient_id)
    await ward.do(JANSEN, alert_id, "resolve", {"outcome": "duplicate"})
    await ward.do(SMIT, alert_id, "reopen", {"reason": "was ernstig"}, expect=409)
    await ward.pass_minutes(10)
    again = await ward.do(JANSEN, alert_id, "reopen", {"reason": "verkeerde regel"})
    assert (again["state"], again["owner"], again["outcome"]) == ("open", None, None)
    assert [why for _, why in await ward.due(alert_id)] == ["undone"]
    await ward.do(JANSEN, alert_id, "resolve", {"outcome": "duplicate"})
    await ward.pass_minutes(16)
    await ward.do(JANSEN, alert_id, "reopen", {"reason": "te laat"}, expect=409)
    await ward.do(JANSEN, await ward.alert(patient_id), "resolve", {"outcome": "expected"})
    other = await ward.alert(patient_id, "pressure")
    await ward.do(JANSEN, other, "resolve", {"outcome": "expected"})
    await ward.alert(patient_id, "pressure")
    told = await ward.do(JANSEN, other, "reopen", {"reason": "toch niet"}, expect=409)
    assert "handle that one" in told["detail"]


async def test_what_is_taken_is_given_back(ward: Ward) -> None:
    alert_id = await ward.alert(await ward.patient())
    await ward.do(JANSEN, alert_id, "acknowledge", {})
    told = await ward.do(SMIT, alert_id, "give-back", {}, expect=409)
    assert told["now"]["owner"]["name"] == JANSEN
    given = await ward.do(JANSEN, alert_id, "give-back", {})
    assert (given["state"], given["owner"], given["resolve_by"]) == ("open", None, None)
    taken = await ward.do(SMIT, alert_id, "acknowledge", {})
    assert taken["owner"]["name"] == SMIT


async def test_a_hand_over_is_accepted_or_falls_back(ward: Ward) -> None:
    alert_id = await ward.alert(await ward.patient())
    await ward.do(JANSEN, alert_id, "acknowledge", {})
    smit = {
        "role": "nurse",
        "organisation_id": str(CENTRE),
        "person_id": str(ward.people[SMIT].person_id),
    }
    offered = await ward.do(JANSEN, alert_id, "hand-over", smit)
    assert (offered["owner"]["name"], offered["handed_over_to"]["person"]["name"]) == (JANSEN, SMIT)
    declined = await ward.do(SMIT, alert_id, "hand-over/decline", {"reason": "te druk"})
    assert (declined["owner"]["name"], declined["handed_over_to"]) == (JANSEN, None)
    await ward.do(JANSEN, alert_id, "hand-over", smit)
    await ward.pass_minutes(11)
    late = await ward.do(SMIT, alert_id, "hand-over/accept", {}, expect=409)
    assert late["now"]["owner"]["name"] == JANSEN
    await ward.do(JANSEN, alert_id, "hand-over", smit)
    accepted = await ward.do(SMIT, alert_id, "hand-over/accept", {})
    assert (accepted["owner"]["name"], accepted["handed_over_to"]) == (SMIT, None)


async def test_a_huisarts_sees_what_was_handed_to_the_practice_and_nothing_else(ward: Ward) -> None:
    patient_id = await ward.patient()
    alert_id, other = await ward.alert(patient_id), await ward.alert(patient_id, "pressure")
    assert (await ward.get(DE_BOER, "/alerts"))["alerts"] == []
    for one in (alert_id, other):
        assert (await ward.ask(DE_BOER, "GET", f"/alerts/{one}")).status_code == 404
    asked = await ward.do(JANSEN, alert_id, "escalations", ESCALATE, expect=201)
    assert asked["alert"]["responsible"]["role"] == "nurse", "until somebody accepts"
    assert [a["alert_id"] for a in (await ward.get(DE_BOER, "/alerts"))["alerts"]] == [str(alert_id)]
    assert (await ward.ask(DE_BOER, "GET", f"/alerts/{other}")).status_code == 404
    assert (await ward.ask(BAKKER, "GET", f"/alerts/{alert_id}")).status_code == 404, "not asked"
    before = await ward.stand()
    for what, body in (("acknowledge", {}), ("resolve", {"outcome": "expected"}), ("notes", {"text": "x"})):
        await ward.do(DE_BOER, other, what, body, expect=404)
        await ward.do(BAKKER, alert_id, what, body, expect=404)
    assert await ward.stand() == before


async def test_who_accepts_is_responsible_until_they_hand_it_back(ward: Ward) -> None:
    alert_id = await ward.alert(await ward.patient())
    asked = await ward.do(JANSEN, alert_id, "escalations", ESCALATE, expect=201)
    path = f"escalations/{asked['escalation_id']}"
    claims = [
        ward.ask(name, "POST", f"/alerts/{alert_id}/{path}/accept", {"version": 2})
        for name in (DE_BOER, VISSER)
    ]
    answers = dict(zip((DE_BOER, VISSER), await asyncio.gather(*claims), strict=True))
    assert sorted(one.status_code for one in answers.values()) == [200, 409]
    winner = next(name for name, one in answers.items() if one.status_code == 200)
    loser = VISSER if winner == DE_BOER else DE_BOER
    assert answers[loser].json()["now"]["owner"]["name"] == winner
    shown = await ward.get(JANSEN, f"/alerts/{alert_id}")
    assert shown["responsible"]["organisation"]["id"] == str(PRACTICE)
    told = await ward.do(JANSEN, alert_id, "resolve", {"outcome": "expected"}, expect=409)
    assert told["now"]["owner"]["name"] == winner
    back = await ward.do(winner, alert_id, f"{path}/hand-back", {"reason": "is in Spanje"})
    assert (back["state"], back["responsible"]["organisation"]["id"]) == ("open", str(CENTRE))
    assert len(await ward.due(alert_id)) == 1
    await ward.pass_minutes(1)
    again = await ward.do(JANSEN, alert_id, "escalations", ESCALATE, expect=201)
    taken = await ward.do(
        JANSEN, alert_id, f"escalations/{again['escalation_id']}/withdraw", {"reason": "opgelost"}
    )
    assert taken["state"] == "open"
    assert [one["state"] for one in (await ward.get(JANSEN, f"/alerts/{alert_id}"))["escalations"]] == [
        "handed_back",
        "withdrawn",
    ]


async def test_outside_practice_hours_the_post_is_asked(ward: Ward) -> None:
    await ward.set_clock("2026-12-01T20:00:00+00:00")
    alert_id = await ward.alert(await ward.patient())
    await ward.do(JANSEN, alert_id, "escalations", ESCALATE, expect=201)
    assert (await ward.ask(DE_BOER, "GET", f"/alerts/{alert_id}")).status_code == 404
    (escalation,) = (await ward.get(BAKKER, f"/alerts/{alert_id}"))["escalations"]
    assert escalation["recipient"] == "out_of_hours_post"


async def test_a_question_is_answered_and_says_whether_a_referral_was_avoided(ward: Ward) -> None:
    alert_id = await ward.alert(await ward.patient())
    question = {
        "recipient": "specialist", "request": "regular", "reason": "vocht", "question": "Furosemide hoger?",
        "answer_within_minutes": 240,
    }  # fmt: skip
    asked = await ward.do(JANSEN, alert_id, "escalations", question, expect=201)
    answer = {"answer": "Ja, 80 mg, morgen bellen.", "referral_avoided": True}
    done = await ward.do(MULDER, alert_id, f"escalations/{asked['escalation_id']}/answer", answer)
    assert done["responsible"]["organisation"]["id"] == str(CENTRE)
    (escalation,) = (await ward.get(JANSEN, f"/alerts/{alert_id}"))["escalations"]
    assert (escalation["state"], escalation["referral_avoided"]) == ("answered", True)
    assert escalation["answer_by"] == "2026-12-01T13:00:00Z"
    assert escalation["answer"] == answer["answer"]


async def test_several_are_taken_at_once_each_with_its_own_result(ward: Ward) -> None:
    patient_id = await ward.patient()
    free, old, closed = [await ward.alert(patient_id, signal) for signal in ("fluid", "pressure", "glucose")]
    taken = await ward.alert(await ward.patient())
    await ward.do(SMIT, taken, "acknowledge", {})
    await ward.do(SMIT, closed, "resolve", {"outcome": "expected"})
    wanted = [(free, 1), (old, 3), (closed, 2), (taken, 2), (uuid4(), 1)]
    body = {"alerts": [{"alert_id": str(key), "version": version} for key, version in wanted]}
    answered = await ward.ask(JANSEN, "POST", "/alerts/acknowledge", body)
    results = answered.json()["results"]
    assert [one.get("status") for one in results] == [None, 409, 409, 409, 404]
    assert results[0]["alert"]["owner"]["name"] == JANSEN
    assert results[3]["now"]["owner"]["name"] == SMIT
    twice = {"alerts": [{"alert_id": str(old), "version": 1}] * 2}
    assert (await ward.ask(JANSEN, "POST", "/alerts/acknowledge", twice)).status_code == 422


async def test_technical_alerts_are_seen_and_resolved(ward: Ward, admin: Connection) -> None:
    key = uuid4()
    await admin.execute(
        "INSERT INTO technical_alert "
        "(technical_alert_id, trouble, subject, severity, opened_at, last_at, details) "
        "VALUES ($1, 'undelivered', 'practice', 'high', '2026-12-01Z', '2026-12-01Z', 'refused')",
        key,
    )
    (found,) = (await ward.get(JANSEN, "/technical-alerts"))["technical_alerts"]
    assert (found["trouble"], found["times"], found["resolved_at"]) == ("undelivered", 1, None)
    path = f"/technical-alerts/{key}/resolve"
    assert (await ward.ask(DE_BOER, "POST", path)).status_code == 403
    assert [(await ward.ask(JANSEN, "POST", path)).status_code for _ in range(2)] == [204, 409]
    assert (await ward.ask(JANSEN, "POST", f"/technical-alerts/{uuid4()}/resolve")).status_code == 404
    assert (await ward.get(JANSEN, "/technical-alerts"))["technical_alerts"] == []
    (was,) = (await ward.get(JANSEN, "/technical-alerts?resolved_too=true"))["technical_alerts"]
    assert was["resolved_by"] == str(ward.people[JANSEN].person_id)


async def test_policies_and_rosters_are_shown_as_they_are(ward: Ward) -> None:
    found = await ward.get(DE_BOER, "/policies")
    names = [one["name"] for one in found["policies"]]
    assert "default.high" in names
    assert len(names) == len(set(names))
    shown = await ward.get(DE_BOER, "/policies/default.high")
    assert (shown["resolve_within_s"], shown["steps"][0]["recipient"]) == (3600, "nurse")
    assert (await ward.ask(DE_BOER, "GET", "/policies/nothing")).status_code == 404
    rosters = (await ward.get(JANSEN, "/rosters"))["rosters"]
    assert {"huisarts", "nurse"} <= {name for one in rosters for name in one["recipients"]}
    day = await ward.get(JANSEN, "/rosters/on-duty")
    assert (day["at"], day["on_duty"]["huisarts"]["by"]) == ("2026-12-01T09:00:00Z", "huisarts")
    night = await ward.get(JANSEN, "/rosters/on-duty?at=2026-12-25T10:00:00Z")
    assert night["on_duty"]["huisarts"]["by"] == "out_of_hours_post"


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Types a command, in a thread of its own: it brings its own loop."""
    monkeypatch.setenv("THUISWACHT_POSTGRES", database)

    async def typed(*words: object) -> Any:
        return await asyncio.to_thread(
            CliRunner().invoke, thuiswacht.thuiswacht, [str(word) for word in words]
        )

    return typed


async def test_the_commands_show_the_same_and_are_on_record(
    ward: Ward, admin: Connection, run: Callable[..., Any]
) -> None:
    patient_id = await ward.patient()
    alert_id = await ward.alert(patient_id)
    await ward.do(JANSEN, alert_id, "escalations", ESCALATE, expect=201)
    await ward.alert(patient_id, "nutrition", "low")
    smit = ("--as", ward.people[SMIT].person_id)
    listed = await run("alerts", "list", *smit, "--severity", "high")
    assert listed.exit_code == 0, listed.output
    head, row = listed.output.splitlines()
    assert head.split()[:3] == ["ernst", "over", "stand"]
    assert str(alert_id) in row
    shown = await run("alerts", "show", alert_id, *smit)
    assert shown.exit_code == 0, shown.output
    assert "Hoog, vocht: open, versie 2" in shown.output
    assert JANSEN in shown.output
    english = await run("alerts", "show", alert_id, *smit, "--language", "en")
    assert "High, fluid: open, version 2" in english.output
    told = json.loads((await run("alerts", "show", alert_id, *smit, "--json")).output)
    by_api = await ward.get(SMIT, f"/alerts/{alert_id}")
    assert (told["findings"][0]["finding_id"], told["escalations"][0]["reason"], told["version"]) == (
        by_api["findings"][0]["finding_id"],
        by_api["escalations"][0]["reason"],
        by_api["version"],
    )
    nobody = await run("alerts", "show", uuid4(), *smit)
    assert nobody.exit_code == 1
    rows = await admin.fetch("SELECT outcome, source, patients FROM audit WHERE source = 'thuiswacht.cli'")
    assert [(row["outcome"], row["patients"]) for row in rows] == [
        *[("allowed", [patient_id])] * 4, ("failed", []),
    ]  # fmt: skip
