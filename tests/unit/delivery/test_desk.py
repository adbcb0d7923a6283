"""What becomes of readings beside what is stored, and how they are put together; without a server."""

import json
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.content import Code, Correction, Delivered, Fault, Result
from ingest.delivery.desk import judge, result_of
from ingest.delivery.drafts import Draft, Speaking, draft
from ingest.delivery.preview import Sound, preview
from ingest.delivery.status import Marks, Part, became
from ingest.delivery.verdicts import verdict_on
from models.columns import Reason, Refusal
from models.db.gate import Content, Fate, Identity, Refused, Stored
from models.messages import MAX_MESSAGE_BYTES, WireReading
from tests.wire import PATIENT, RECEIVED_AT_US, STRANGER, TAKEN_AT_US, reading

EARLIER_US = TAKEN_AT_US - 60_000_000
IDENTITY = Identity(PATIENT, 0, TAKEN_AT_US, "scale-1")
KG_81, KG_82 = Content(value=81.4), Content(value=82.0)


def delivered(*readings: dict[str, Any], **fields: Any) -> Delivered:
    places = tuple(f"readings[{number}]" for number in range(len(readings)))
    return Delivered(cast("tuple[WireReading, ...]", readings), places, **fields)


def speaking(*uploads: Delivered, patient: UUID = PATIENT, device: str = "scale-1") -> list[Speaking]:
    return [Speaking(number, one, patient, device) for number, one in enumerate(uploads)]


def drafts_of(*uploads: Delivered) -> list[Draft]:
    return draft(speaking(*uploads), "hub", RECEIVED_AT_US)


def messages(drafts: list[Draft]) -> list[dict[str, Any]]:
    return [json.loads(one.value) for one in drafts]


def test_uploads_of_one_patient_and_device_are_one_message_in_their_order() -> None:
    drafts = drafts_of(delivered(reading(value=1.5)), delivered(reading(value=2.5), reading(value=3.5)))
    [message] = messages(drafts)
    assert [one["value"] for one in message["readings"]] == [1.5, 2.5, 3.5]
    assert (message["source"], message["received_at_us"]) == ("hub", RECEIVED_AT_US)
    assert message["sent_at_us"] == RECEIVED_AT_US
    assert drafts[0].value.startswith(b'{"schema":1,"type":"upload"')


def test_what_has_an_id_or_corrects_or_is_of_somebody_else_goes_by_itself() -> None:
    one = delivered(reading())
    drafts = draft(
        [
            *speaking(
                one,
                delivered(reading(), upload_id=uuid4()),
                delivered(reading(), correction=Correction.CORRECTED),
                delivered(reading(), sent_at_us=1),
                one,
            ),
            Speaking(5, one, STRANGER, "scale-1"),
            Speaking(6, one, PATIENT, "scale-2"),
        ],
        "hub",
        RECEIVED_AT_US,
    )
    assert [[part.number for part in one.parts] for one in drafts] == [[0, 4], [1], [2], [3], [5], [6]]


def test_the_same_content_has_the_same_id_and_other_content_another() -> None:
    first, again, other = (
        drafts_of(delivered(reading(value=value)))[0].upload_id for value in (81.4, 81.4, 82)
    )
    assert first == again != other


def test_messages_hold_as_much_as_is_read_and_no_more() -> None:
    many = [delivered(*[reading()] * 1_700) for _ in range(4)]
    assert [len(one.readings) for one in drafts_of(*many)] == [3_400, 3_400]
    long = [
        delivered(reading(value=None, unit=None, text="x" * 4_000) | {"x": "y" * 1_000_000}) for _ in range(3)
    ]
    assert [len(one.parts) for one in drafts_of(*long)] == [1, 2]
    assert all(len(one.value) <= MAX_MESSAGE_BYTES for one in drafts_of(*long))
    [one] = drafts_of(delivered(reading() | {"x": "y" * MAX_MESSAGE_BYTES}))
    assert one.is_too_large


def test_what_is_in_error_is_taken_back_and_nothing_else_is_said_of_it() -> None:
    upload = delivered(
        reading(group="1", utc_offset_min=60), reading(),
        correction=Correction.IN_ERROR, faults={1: Fault("", "", "", Code.VALUE)},
    )  # fmt: skip
    [message] = messages(drafts_of(upload))
    assert message["readings"][0] == {
        "kind": "body_weight", "taken_at_us": TAKEN_AT_US, "group": "1", "utc_offset_min": 60, "void": True,
    }  # fmt: skip
    assert message["readings"][1]["value"] == 81.4


def test_the_preview_says_what_the_worker_will_say() -> None:
    upload = delivered(
        reading(), reading(value=814), reading(unit="stone"),
        reading("consciousness", None, unit=None, code="C"), reading(value=81_400, unit="g"),
    )  # fmt: skip
    [found] = preview(drafts_of(upload), "n")
    assert [type(one) for one in found] == [Sound, Refusal, Refusal, Sound, Sound]
    assert found[0] == Sound(IDENTITY, 0, is_void=False, content=KG_81)
    assert [one.reason for one in found if isinstance(one, Refusal)] == [
        Reason.IMPLAUSIBLE,
        Reason.UNKNOWN_UNIT,
    ]
    assert isinstance(found[3], Sound)
    assert found[3].content == Content(code=1)
    assert isinstance(found[4], Sound)
    assert found[4].content == KG_81


def test_previews_of_several_messages_keep_apart() -> None:
    drafts = draft(
        [
            Speaking(0, delivered(reading(value=814)), PATIENT, "a"),
            Speaking(1, delivered(reading(), reading(taken_at_us=None)), STRANGER, "b"),
        ],
        "hub",
        RECEIVED_AT_US,
    )
    first, second = preview(drafts, "n")
    assert [type(one) for one in first] == [Refusal]
    assert [type(one) for one in second] == [Sound, Refusal]
    assert isinstance(second[0], Sound)
    assert second[0].identity == Identity(STRANGER, 0, TAKEN_AT_US, "b")


def stored(revision: int, content: Content | None) -> Stored:
    return Stored(revision, content is None, content or Content())


@pytest.mark.parametrize(
    ("known", "correction", "result", "revision"),
    [
        ([], Correction.NONE, Result.ACCEPTED, 0),
        ([stored(0, KG_81)], Correction.NONE, Result.DUPLICATE, 0),
        ([stored(0, KG_82)], Correction.NONE, Result.REFUSED, 0),
        ([stored(1, KG_82)], Correction.NONE, Result.ACCEPTED, 0),
        ([stored(0, None)], Correction.NONE, Result.ACCEPTED, 0),
        ([], Correction.CORRECTED, Result.ACCEPTED, 1),
        ([stored(0, KG_81)], Correction.CORRECTED, Result.DUPLICATE, 0),
        ([stored(0, KG_82)], Correction.CORRECTED, Result.ACCEPTED, 1),
        ([stored(0, KG_81), stored(3, KG_82)], Correction.CORRECTED, Result.ACCEPTED, 4),
        ([stored(0, KG_81), stored(0, None)], Correction.CORRECTED, Result.ACCEPTED, 1),
        ([stored(0, KG_82), stored(1, KG_81)], Correction.CORRECTED, Result.DUPLICATE, 1),
        ([], Correction.IN_ERROR, Result.ACCEPTED, 0),
        ([stored(0, KG_81), stored(2, KG_82)], Correction.IN_ERROR, Result.ACCEPTED, 2),
        ([stored(0, KG_81), stored(0, None)], Correction.IN_ERROR, Result.DUPLICATE, 0),
        ([stored(0, None)], Correction.IN_ERROR, Result.DUPLICATE, 0),
        ([stored(0, None), stored(1, KG_82)], Correction.IN_ERROR, Result.ACCEPTED, 1),
    ],
)
def test_a_reading_beside_what_is_stored(
    known: list[Stored], correction: Correction, result: Result, revision: int
) -> None:
    is_void = correction is Correction.IN_ERROR
    sound = Sound(IDENTITY, 0, is_void, Content() if is_void else KG_81)
    found = verdict_on(sound, correction, known, own=False)
    assert (found.result, found.revision) == (result, revision)


def test_who_says_a_revision_means_that_one() -> None:
    known = [stored(0, KG_82), stored(1, KG_81)]
    for revision, result in ((0, Result.REFUSED), (1, Result.DUPLICATE), (5, Result.ACCEPTED)):
        sound = Sound(IDENTITY, revision, is_void=False, content=KG_81)
        found = verdict_on(sound, Correction.CORRECTED, known, own=True)
        assert (found.result, found.revision) == (result, revision)


def test_a_correction_goes_to_the_log_with_its_revision() -> None:
    drafts = drafts_of(delivered(reading(), reading(taken_at_us=EARLIER_US), correction=Correction.CORRECTED))
    [found] = preview(drafts, "n")
    [judged] = judge(drafts, [(found, [[stored(0, KG_82)], []])])
    assert [one["revision"] for one in json.loads(judged.draft.value)["readings"]] == [1, 1]
    assert judged.results == (Result.ACCEPTED, Result.ACCEPTED)


def test_of_the_same_delivered_twice_the_first_counts() -> None:
    drafts = drafts_of(delivered(reading()), delivered(reading()), delivered(reading(value=82)))
    [found] = preview(drafts, "n")
    [judged] = judge(drafts, [(found, [[], [], []])])
    assert judged.results == (Result.ACCEPTED, Result.ACCEPTED, Result.REFUSED)
    assert judged.faults[2] == Fault(
        "readings[0]", "81.4 kg, as is known of this reading (or a correction of it)", "82 kg", Code.CONFLICT,
        kept=True,
    )  # fmt: skip
    assert judged.is_new
    assert judged.is_foreseen


def test_what_was_found_to_be_no_good_before_is_said_as_it_was_found() -> None:
    known = Fault("readings[0].valu", "value", "valu", Code.STRUCTURE, kept=True)
    drafts = drafts_of(delivered({"kind": "body_weight", "taken_at_us": TAKEN_AT_US}, faults={0: known}))
    [found] = preview(drafts, "n")
    [judged] = judge(drafts, [(found, [[]])])
    assert judged.faults == (known,)


@given(st.lists(st.sampled_from(Result), min_size=1))
def test_one_word_for_all(results: list[Result]) -> None:
    found = result_of(results)
    assert (found is Result.REFUSED) == (set(results) == {Result.REFUSED})
    assert (found is Result.DUPLICATE) == (set(results) == {Result.DUPLICATE})


PARTS = st.builds(
    Part, st.integers(0, 2**16 - 1), st.integers(0, 2**64 - 1), st.integers(0, 5_000), st.integers(1, 5_000)
)


@given(PARTS, st.text(min_size=1))
def test_a_status_address_opens_for_its_client_in_its_log_alone(part: Part, client: str) -> None:
    marks = Marks(b"k" * 32, "cluster", "log")
    try:
        client.encode()
    except UnicodeEncodeError:
        return
    mark = marks.address(client, part).rpartition("/")[2]
    assert marks.read(client, mark) == part
    assert marks.read(client + "x", mark) is None
    assert Marks(b"k" * 32, "another", "log").read(client, mark) is None
    assert Marks(b"o" * 32, "cluster", "log").read(client, mark) is None
    assert marks.read(client, mark[:-1]) is None
    assert marks.read(client, "B" + mark[1:]) in (None, part)


@given(st.text(max_size=60))
def test_whatever_is_asked_for_opens_nothing(mark: str) -> None:
    assert Marks(b"k" * 32, "cluster", "log").read("hub", mark) is None


def refused(position: int) -> Refused:
    return Refused(position, "implausible", "value", "", "")


def test_what_became_of_a_part_is_told_by_its_own_places() -> None:
    part = Part(0, 7, 2, 3)
    assert became(part, Fate(is_passed=False)) is None
    found = became(part, Fate(is_passed=True, refused=(refused(1), refused(3), refused(5))))
    assert found is not None
    assert (found.stored, [one.position for one in found.refused]) == (2, [1])
    whole = became(part, Fate(is_passed=True, refused=(refused(-1),)))
    assert whole is not None
    assert (whole.stored, [one.position for one in whole.refused]) == (0, [-1])
