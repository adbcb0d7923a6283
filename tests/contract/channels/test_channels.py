"""What holds for every channel, whoever is at its end."""

import asyncio
from dataclasses import replace

import pytest

from alerting.notify.channels import Channel, Delivered, Later, Refused
from models.db.pool import Connection
from models.escalations import MessageKind
from tests.contract.channels.conftest import Way
from tests.notes import CENTRE_NAME, CENTRE_PHONE, PATIENT, address, note


async def test_what_is_sent_arrives_under_the_id_of_its_message(way: Way, connection: Connection) -> None:
    said = note()
    content = await way.compose(connection, said)
    assert await way.channel.send(way.outgoing(said, content)) == Delivered()
    async with way.received() as copies:
        [copy] = copies
    assert copy.message_id == said.message.message_id
    assert copy.content == content


async def test_each_copy_has_the_same_id(way: Way, connection: Connection) -> None:
    said = note()
    content = await way.compose(connection, said)
    for _ in range(3):
        assert await way.channel.send(way.outgoing(said, content)) == Delivered()
    async with way.received() as copies:
        assert [copy.message_id for copy in copies] == [said.message.message_id] * 3


async def test_several_at_once_arrive_each_as_itself(way: Way, connection: Connection) -> None:
    said = [note() for _ in range(8)]
    outgoing = [way.outgoing(one, await way.compose(connection, one)) for one in said]
    assert await asyncio.gather(*map(way.channel.send, outgoing)) == [Delivered()] * 8
    async with way.received() as copies:
        assert {copy.message_id for copy in copies} == {one.message.message_id for one in said}


async def test_the_first_thing_said_is_who_is_responsible_and_whom_to_ring(
    way: Way, connection: Connection
) -> None:
    content = await way.compose(connection, note())
    if way.first_line is None:
        # A letter: its own tests say so of its first line.
        assert way.channel.name == "secure_mail"
        return
    first = way.first_line(content)
    assert CENTRE_NAME in first
    assert CENTRE_PHONE in first
    assert "responsible" in first or "verantwoordelijk" in first


@pytest.mark.parametrize("kind", [kind for kind in MessageKind if kind is not MessageKind.TO_PATIENT])
async def test_it_has_something_to_say_of_each_kind(
    way: Way, connection: Connection, kind: MessageKind
) -> None:
    assert await way.compose(connection, note(kind=kind))


async def test_nothing_around_it_says_whom_it_is_about(way: Way, connection: Connection) -> None:
    said = note()
    await way.channel.send(way.outgoing(said, await way.compose(connection, said)))
    async with way.received() as copies:
        [copy] = copies
    for secret in (str(PATIENT), "drie kilo", "fluid"):
        assert secret not in copy.around


async def test_who_does_not_answer_is_left_and_nothing_stays_open(way: Way, connection: Connection) -> None:
    if way.hang is None:
        # One broker for all, whose writer has a time limit of its own.
        assert way.channel.name == "kafka"
        return
    said = note()
    content = await way.compose(connection, said)
    way.hang()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await way.channel.send(way.outgoing(said, content))


async def test_closing_twice_is_closing(way: Way) -> None:
    await way.channel.close()
    await way.channel.close()


async def test_what_needs_an_address_is_not_sent_without(way: Way) -> None:
    channel: Channel = way.channel
    outgoing = replace(way.outgoing(note(), b"{}"), address=None)
    if channel.addressed:
        assert await channel.send(outgoing) == Refused("no address")
    else:
        assert way.address is None


async def test_an_address_that_can_be_none_is_refused_for_good(way: Way) -> None:
    if way.channel.addressed:
        outgoing = replace(way.outgoing(note(), b"{}"), address=address("nobody\r\nBcc: all@example.org"))
        assert isinstance(await way.channel.send(outgoing), Refused)


async def test_a_receiver_that_is_away_may_come_back(way: Way, connection: Connection) -> None:
    if way.leave is None:
        # A broker that is away: tests/contract/channels/test_kafka.py.
        assert way.channel.name == "kafka"
        return
    said = note()
    content = await way.compose(connection, said)
    outgoing = way.outgoing(said, content)
    await way.leave()
    assert isinstance(await way.channel.send(outgoing), Later)
