"""What differs between the rules and a broker is found, and rules that say nothing sensible are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.broker.commands import passwords_of
from ingest.broker.rules import (
    ACCESS,
    Entry,
    Operation,
    Pattern,
    Permission,
    Resource,
    difference,
    rules_of,
)
from models.errors import RefuseToStart

TOPICS = {"log": ["the.log"], "requests": ["asked"], "alerts": ["told", "told.sandbox"]}
RULES = rules_of(ACCESS.read_text(encoding="utf-8"), TOPICS)
ALL = [entry for entries in RULES.values() for entry in entries]

entries = st.builds(
    Entry,
    principal=st.sampled_from(["User:gateway", "User:ingest", "User:stranger", "User:*"]),
    resource=st.integers(0, 7),
    name=st.sampled_from(["the.log", "the.", "the.log.of.others", "*", "asked", "kafka-cluster"]),
    operation=st.integers(0, 15),
    pattern=st.sampled_from([Pattern.LITERAL, Pattern.PREFIXED]),
    permission=st.sampled_from(list(Permission)),
)


def test_the_log_is_written_by_those_who_decide_what_is_in_it_and_by_the_watch() -> None:
    writers = {one.principal for one in ALL if (one.name, one.operation) == ("the.log", Operation.WRITE)}
    assert writers == {"User:gateway", "User:register", "User:clock", "User:dispatch"}
    readers = {one.principal for one in ALL if (one.name, one.operation) == ("the.log", Operation.READ)}
    assert readers == {"User:ingest", "User:alerting"}
    assert {one.operation for one in ALL} == {Operation.READ, Operation.WRITE}


@given(st.sets(entries), st.sets(st.sampled_from(ALL)))
def test_doing_what_is_said_leaves_our_users_with_the_rules_and_others_alone(
    found: set[Entry], there: set[Entry]
) -> None:
    before = found | there
    said = difference(RULES, before, "the.log")
    after = before - set(said.surplus) | set(said.missing)
    ours = {f"User:{user}" for user in RULES}
    assert {entry for entry in after if entry.principal in ours} == set(ALL)
    assert {entry for entry in after if entry.principal not in ours} == {
        entry for entry in before if entry.principal not in ours
    }
    assert difference(RULES, after, "the.log").others == said.others


@pytest.mark.parametrize(
    "entry",
    [
        Entry("User:x", Resource.TOPIC, "the.log", Operation.WRITE),
        Entry("User:x", Resource.TOPIC, "the.", Operation.ALL, pattern=Pattern.PREFIXED),
        Entry("User:*", Resource.TOPIC, "*", Operation.DELETE),
        Entry("User:x", Resource.CLUSTER, "kafka-cluster", Operation.ALTER),
    ],
    ids=str,
)
def test_whoever_else_may_harm_the_log_is_named(entry: Entry) -> None:
    assert difference(RULES, [entry], "the.log").others == (entry,)
    assert difference(RULES, [entry], "the.log", admins=[entry.principal]).others == ()


@pytest.mark.parametrize(
    "entry",
    [
        Entry("User:x", Resource.TOPIC, "the.log", Operation.READ),
        Entry("User:x", Resource.TOPIC, "the.log.of.others", Operation.WRITE),
        Entry("User:x", Resource.TOPIC, "the.", Operation.WRITE),
        Entry("User:x", Resource.TOPIC, "the.log", Operation.WRITE, permission=Permission.DENY),
        Entry("User:x", Resource.GROUP, "the.log", Operation.DELETE),
    ],
    ids=str,
)
def test_whoever_may_not_is_left_in_peace(entry: Entry) -> None:
    assert difference(RULES, [entry], "the.log").others == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a", "wrong"),
        ("a = 1", "a"),
        ('[a]\nwhy = "b"\ndelete = ["log"]', "delete"),
        ('[a]\nwrite = ["log"]', "why"),
        ('[a]\nwhy = "b"\nwrite = ["logs"]', "expected a topic of log, requests, alerts; found logs"),
    ],
)
def test_rules_that_say_something_unknown_are_refused(text: str, said: str) -> None:
    with pytest.raises(RefuseToStart, match=said):
        rules_of(text, TOPICS)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STRANGER", "long enough, surely"),
        ("CLOCK", "too short"),
        ("CLOCK", "thirteen chars é"),
        ("CLOCK", ""),
    ],
)
def test_passwords_of_nobody_or_of_no_use_are_refused_without_being_shown(variable: str, value: str) -> None:
    with pytest.raises(RefuseToStart, match=f"BROKER_PASSWORD_{variable}") as refused:
        passwords_of({f"BROKER_PASSWORD_{variable}": value}, RULES)
    assert not value or value not in str(refused.value)
