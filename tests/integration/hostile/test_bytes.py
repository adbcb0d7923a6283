"""Bytes that nobody should send: bombs, depths, numbers that are none, slow senders, garbage."""

import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import zstandard

from benchmarks.gateway.requests import Requests
from models.clock import SECOND_US, wall_now_us
from tests.gates import Answer, Gate
from tests.integration.hostile.conftest import FHIR, FHIR_TYPE, PLAIN, refused, upload, written

pytestmark = pytest.mark.usefixtures("unharmed")

SOUND = (
    b'{"device_id":"monitor-0","readings":'
    b'[{"kind":"heart_rate","unit":"/min","taken_at":"2026-11-30T07:00:00Z",%s}]}'
)
"""An upload in which the value is still to be said."""

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"weight=81.4&unit=kg",
    "cut off": b'{"device_id": "monitor-0", "readings": [{"ki',
    "more than one": b'{"readings": []} {"readings": []}',
    "nested 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "nested 10,000 deep in a reading": SOUND % (b'"value":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "nested and never closed": b'{"readings":' * 10_000,
    "duplicate keys": SOUND % b'"value":61,"value":16',
    "duplicate keys, one escaped": SOUND % b'"value":61,"v\\u0061lue":16',
    "a byte-order mark": b"\xef\xbb\xbf" + SOUND % b'"value":61',
    "UTF-16": (SOUND % b'"value":61').decode().encode("utf-16"),
    "no UTF-8": SOUND % b'"value":61,"note":"\xff\xfe"',
    "a half letter as bytes": SOUND % b'"value":61,"note":"\xed\xa0\x80"',
    "NUL between": SOUND % b'"value":\x0061',
    "XML sent as JSON": b'<?xml version="1.0"?><Observation xmlns="http://hl7.org/fhir"/>',
    "a million empty lists": b"[" + b"[]," * 1_000_000 + b"[]]",
    "a name of a megabyte, twice": b'{"%s":1,"%s":2}' % ((b"x" * 1_000_000,) * 2),
}

UNUSABLE: dict[str, bytes] = {
    "NaN": b'"value":NaN',
    "Infinity": b'"value":Infinity',
    "-Infinity": b'"value":-Infinity',
    "1e999": b'"value":1e999',
    "-1e999": b'"value":-1e999',
    "1e-999": b'"value":1e-999',
    "40 digits": b'"value":6.123456789012345678901234567890123456789',
    "40 digits, whole": b'"value":6123456789012345678901234567890123456789',
    "5,000 digits": b'"value":' + b"6" * 5_000,
    "a lone surrogate": b'"value":61,"group":"a\\ud800b"',
    "surrogates the wrong way round": b'"value":61,"group":"\\udc00\\ud800"',
    "NUL in a text": b'"value":61,"group":"a\\u0000b"',
    "a number as text": b'"value":"61"',
    "true": b'"value":true',
    "null": b'"value":null',
    "a list": b'"value":[61]',
}


@pytest.mark.parametrize("path", [PLAIN, FHIR])
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_and_says_why(gate: Gate, name: str, path: str) -> None:
    media_type = "application/json" if path == PLAIN else FHIR_TYPE
    answer = refused(gate.post(path, UNREADABLE[name], media_type), 400, 413)
    assert b"expected" in answer.body


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_kept_as_it_is_is_refused_at_its_place(gate: Gate, name: str) -> None:
    answer = refused(gate.post(PLAIN, SOUND % UNUSABLE[name]), 422, 400)
    assert b"readings[0]" in answer.body
    assert gate.stored("SELECT FROM reading WHERE taken_at = '2026-11-30T07:00:00Z'") == []


@pytest.mark.parametrize("path", [PLAIN, FHIR])
def test_xml_is_not_understood(gate: Gate, path: str) -> None:
    for media_type in ("application/xml", "application/fhir+xml", "text/plain", "text/html", ""):
        refused(gate.post(path, b"<a/>", media_type), 415, 400)


def _bomb(kind: str, size: int) -> bytes:
    """Much that becomes little."""
    whole = b'{"readings": [' + b" " * size + b"]}"
    return gzip.compress(whole) if kind == "gzip" else zstandard.compress(whole)


@pytest.mark.parametrize("path", [PLAIN, FHIR])
@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_goes_off_in_no_memory(gate: Gate, kind: str, path: str) -> None:
    bomb = _bomb(kind, 400 << 20)
    assert len(bomb) < 1 << 20
    refused(gate.post(path, bomb, Content_Encoding=kind), 413)


def test_a_bomb_within_a_bomb_is_an_encoding_that_is_not_taken(gate: Gate) -> None:
    refused(
        gate.post(PLAIN, gzip.compress(_bomb("gzip", 100 << 20)), Content_Encoding="gzip, gzip"),
        400,
        413,
        415,
    )


@pytest.mark.parametrize("kind", ["gzip", "zstd", "br", "deflate", "identity, gzip", "rubbish"])
def test_what_is_not_packed_as_it_says_is_refused(gate: Gate, kind: str) -> None:
    refused(gate.post(PLAIN, b"not packed at all", Content_Encoding=kind), 400, 415)
    cut = _bomb(kind, 1_000)[:-5] if kind in ("gzip", "zstd") else b""
    refused(gate.post(PLAIN, cut, Content_Encoding=kind), 400, 415)


def test_what_is_packed_is_taken(gate: Gate) -> None:
    for kind, pack in (("gzip", gzip.compress), ("zstd", zstandard.compress)):
        assert gate.post(PLAIN, pack(written(upload(gate))), Content_Encoding=kind).status == 202


@pytest.mark.parametrize("path", [PLAIN, FHIR])
def test_bodies_over_the_limit_are_not_read(gate: Gate, path: str) -> None:
    refused(gate.post(path, b" " * (9 << 20)), 413)
    promised = gate.exchange(gate.request(path, Content_Length="99999999999", Connection="close"))
    assert [answer.status for answer in promised] == [413]
    chunk = f"{1 << 20:x}\r\n".encode() + b" " * (1 << 20) + b"\r\n"
    head = gate.request(path, Content_Length="", Transfer_Encoding="chunked", Connection="close")
    endless = gate.exchange(head, *[chunk] * 40)
    # Who still sends when the other side has closed may never hear why.
    assert [answer.status for answer in endless] in ([413], [])


def test_slow_bodies_are_cut_off(gate: Gate) -> None:
    body = written(upload(gate))
    head = gate.request(PLAIN, Content_Length=str(len(body)))
    begun_s = time.monotonic()
    drops = [body[at : at + 1] for at in range(60)]
    answers = gate.exchange(head, *drops, apart_s=0.25)
    assert [answer.status for answer in answers] == [408]
    assert time.monotonic() - begun_s < 40


def test_slow_heads_and_silence_are_cut_off(gate: Gate) -> None:
    def answers_to(said: bytes) -> list[Answer]:
        return gate.exchange(said, within_s=60.0)

    heads = (b"", b"P", b"POST /v1/uploads HTTP/1.1\r\nHost: x\r\n")
    with ThreadPoolExecutor(len(heads)) as senders:
        for answers in senders.map(answers_to, heads):
            assert all(answer.status in (400, 408) for answer in answers)


TO = b"POST /v1/uploads HTTP/1.1\r\nHost: x\r\n"
GARBAGE: dict[str, bytes] = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a wrong length": TO + b"Content-Length: -1\r\n\r\n",
    "two lengths": TO + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}{",
    "both lengths": TO + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bad chunk": TO + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a line folded": TO + b" Content-Length: 2\r\n\r\n{}",
    "a head of a megabyte": TO + b"X-Y: " + b"z" * (1 << 20) + b"\r\n\r\n",
    "10,000 headers": TO + b"a: b\r\n" * 10_000 + b"\r\n",
    "NUL in a header": TO + b"X: a\x00b\r\n\r\n",
    "letters in the path": b"POST /v1\xff\xfe HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    "up and out": b"POST /v1/../../etc/passwd HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_refused_alone_and_behind_a_good_request(gate: Gate, name: str) -> None:
    for answer in gate.exchange(GARBAGE[name] + b"\r\n\r\n", within_s=60.0):
        assert 400 <= answer.status < 500
    body = written(upload(gate))
    statuses = [one.status for one in gate.exchange(gate.request(PLAIN, body) + GARBAGE[name], within_s=60.0)]
    # Cut off without a word, or the good one's own answer first.
    assert statuses in ([], [202]) or (statuses[0] == 202 and all(400 <= one < 500 for one in statuses[1:]))


def test_requests_down_one_line_are_answered_in_turn_and_too_many_are_cut_off(gate: Gate) -> None:
    bodies = [written(upload(gate, value=60 + number)) for number in range(50)]
    requests = [gate.request(PLAIN, body) for body in bodies]
    last = gate.request(PLAIN, b"{}", Connection="close")
    answers = gate.exchange(b"".join([*requests[:10], last]))
    assert [answer.status for answer in answers] == [*[202] * 10, 422]
    assert all(answer.status == 202 for answer in gate.exchange(b"".join(requests)))


MOST = 8 << 20
"""As much as a body may be, unpacked."""
LINES: dict[str, bytes] = {
    "sound": b'{"kind":"heart_rate","value":%d,"unit":"/min","taken_at_us":%d}',
    "refused for its unit": b'{"kind":"heart_rate","value":%d,"unit":"kg","taken_at_us":%d}',
    "refused for its kind": b'{"kind":"x%d","value":1,"unit":"kg","taken_at_us":%d}',
    "nothing": b"{}",
    "nothing at all": b"0",
    "unusable": b'{"value":1e999}',
}


@pytest.mark.parametrize("shape", ["one upload", "an upload each", "a hundred each"])
@pytest.mark.parametrize("name", LINES)
def test_as_much_as_may_be_sent_at_once_is_bounded_too(gate: Gate, name: str, shape: str) -> None:
    begin_us = wall_now_us() - 6 * 86_400 * SECOND_US
    line = LINES[name]
    made = (line % (60 + n % 40, begin_us + n * SECOND_US) if b"%d" in line else line for n in count())
    per_upload = {"one upload": MOST, "an upload each": 1, "a hundred each": 100}[shape]
    body = bytearray(b"[")
    while len(body) < MOST - 20_000:
        body += b'{"device_id":"monitor-0","readings":['
        for _ in range(per_upload):
            body += next(made) + b","
            if len(body) > MOST - 20_000:
                break
        body[-1:] = b"]},"
    body[-1:] = b"]"
    answer = gate.post(PLAIN, bytes(body))
    assert answer.status in (200, 202, 400, 413, 422), answer.body[:500]


@pytest.mark.parametrize("uploads", [2, 1_000])
def test_the_most_that_is_taken_at_once_is_taken_and_bounded(gate: Gate, uploads: int) -> None:
    begin_us, each = wall_now_us() - (5 * 86_400 + uploads) * SECOND_US, 10_000 // uploads
    content = [
        {
            "device_id": gate.homes[1 + number % 10].device_id,
            "readings": [
                {"kind": "heart_rate", "value": 61, "unit": "/min", "taken_at_us": begin_us + n * SECOND_US}
                for n in range(number * each, (number + 1) * each)
            ],
        }
        for number in range(uploads)
    ]
    answer = gate.deliver(PLAIN, written(content))
    assert answer.status == 200, answer.body[:500]
    results = [one["result"] for one in answer.json()["uploads"]]
    assert len(results) == uploads
    # What was answered with 503 may have come through all the same.
    assert set(results) <= {"accepted", "duplicate"}


def test_the_largest_bundle_is_taken_and_bounded(gate: Gate) -> None:
    requests = Requests(gate.homes, gate.token, "x")
    entries = [
        {"resource": requests.observation(), "request": {"method": "POST", "url": "Observation"}}
        for _ in range(1_000)
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = gate.deliver(FHIR, written(bundle), FHIR_TYPE)
    assert answer.status == 200, answer.body[:500]
    assert {entry["response"]["status"][:3] for entry in answer.json()["entry"]} <= {"200", "201"}
