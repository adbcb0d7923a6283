"""Turns: bounded, nobody forgotten, and who sends much waits for itself alone."""

from collections import Counter, deque

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingest.delivery.clients.turns import Entered, Room, Turns

CLIENTS = ("a", "b", "c")


class TurnsAsTheyCome(RuleBasedStateMachine):
    """Clients come, leave and give up, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room(at_work=3, at_work_each=2, waiting_each=3, waiting=6)
        self.turns: Turns[int] = Turns(self.room)
        self.tickets = 0
        self.at_work: list[tuple[str, int]] = []
        self.waiting: dict[str, deque[int]] = {client: deque() for client in CLIENTS}

    @rule(client=st.sampled_from(CLIENTS))
    def come(self, client: str) -> None:
        self.tickets += 1
        entered = self.turns.enter(client, self.tickets)
        mine = Counter(one for one, _ in self.at_work)[client]
        all_waiting = sum(map(len, self.waiting.values()))
        match entered:
            case Entered.GO:
                assert not self.waiting[client], "nobody overtakes their own client"
                self.at_work.append((client, self.tickets))
            case Entered.WAIT:
                assert len(self.at_work) == self.room.at_work or mine == self.room.at_work_each
                self.waiting[client].append(self.tickets)
            case Entered.TOO_MANY:
                assert len(self.waiting[client]) == self.room.waiting_each
            case Entered.FULL:
                assert all_waiting == self.room.waiting

    @precondition(lambda self: self.at_work)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        client, ticket = data.draw(st.sampled_from(self.at_work))
        self.at_work.remove((client, ticket))
        for called in self.turns.leave(client):
            whose = next(one for one, queue in self.waiting.items() if called in queue)
            assert self.waiting[whose].popleft() == called, "each client in its own order"
            self.at_work.append((whose, called))

    @precondition(lambda self: any(self.waiting.values()))
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from([one for one, queue in self.waiting.items() if queue]))
        ticket = data.draw(st.sampled_from(list(self.waiting[client])))
        assert self.turns.give_up(client, ticket)
        self.waiting[client].remove(ticket)
        assert not self.turns.give_up(client, ticket)

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        each = Counter(client for client, _ in self.at_work)
        assert self.turns.at_work == len(self.at_work) <= self.room.at_work
        assert self.turns.waiting == sum(map(len, self.waiting.values())) <= self.room.waiting
        assert all(count <= self.room.at_work_each for count in each.values())
        if len(self.at_work) < self.room.at_work:
            assert all(each[one] == self.room.at_work_each for one, queue in self.waiting.items() if queue)


TestTurnsAsTheyCome = TurnsAsTheyCome.TestCase


def test_who_sends_a_thousand_keeps_nobody_waiting() -> None:
    turns: Turns[str] = Turns(Room(at_work=2, at_work_each=2, waiting_each=1000, waiting=2000))
    for n in range(500):
        turns.enter("greedy", f"greedy {n}")
    turns.enter("small", "small 1")
    turns.enter("small", "small 2")
    turns.enter("other", "other 1")
    called = [one for _ in range(6) for one in turns.leave("greedy")]
    assert called == ["greedy 2", "small 1", "other 1", "greedy 3", "small 2", "greedy 4"]
    assert turns.waiting == 500 - 5


def test_one_client_alone_may_have_half() -> None:
    assert Room.of(64) == Room(at_work=64, at_work_each=32, waiting_each=256, waiting=1024)
    assert Room.of(1).at_work_each == 1
