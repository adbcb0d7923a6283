from alerting.circumstances import (
    NEVER_US,
    Circumstances,
    Effective,
    Turn,
    circumstances_at,
    heard_at_us,
    turns,
)
from models.findings import Signal
from models.messages import Admit, AnyChange, Discharge, End, Pause, Resume, Withdraw


def timeline(*changes: tuple[int, AnyChange]) -> tuple[Turn, ...]:
    return turns([Effective(at_us, offset, change) for offset, (at_us, change) in enumerate(changes)])


def test_a_patient_without_changes_is_simply_followed() -> None:
    assert timeline() == ()
    assert timeline((5, Withdraw(programme="heart_failure"))) == ()
    assert circumstances_at((), 5) == Circumstances()


def test_a_pause_ends_at_its_time_or_when_resumed_before() -> None:
    assert timeline((10, Pause(until_us=20))) == (
        Turn(10, Circumstances(paused=True)),
        Turn(20, Circumstances()),
    )
    assert timeline((10, Pause(until_us=20)), (15, Resume())) == (
        Turn(10, Circumstances(paused=True)),
        Turn(15, Circumstances()),
    )


def test_the_last_pause_decides_until_when() -> None:
    found = timeline((10, Pause(until_us=20)), (12, Pause(until_us=40)))
    assert [turn.at_us for turn in found] == [10, 40]
    found = timeline((10, Pause(until_us=20)), (12, Pause()))
    assert found == (Turn(10, Circumstances(paused=True)),)


def test_a_pause_that_is_over_before_it_starts_pauses_nothing() -> None:
    assert timeline((10, Pause(until_us=5))) == ()


def test_a_pause_that_ended_gives_way_to_what_comes_after() -> None:
    found = timeline((10, Pause(until_us=20)), (30, Admit()), (40, Discharge()), (50, End(reason="died")))
    assert found == (
        Turn(10, Circumstances(paused=True)),
        Turn(20, Circumstances()),
        Turn(30, Circumstances(admitted=True)),
        Turn(40, Circumstances()),
        Turn(50, Circumstances(ended=True)),
    )
    assert circumstances_at(found, 30).admitted
    assert not circumstances_at(found, 29).admitted


def test_changes_of_one_moment_count_in_the_order_of_the_log() -> None:
    assert timeline((10, Pause()), (10, Resume()))[-1] == Turn(10, Circumstances())
    assert timeline((10, Resume()), (10, Pause()))[-1] == Turn(10, Circumstances(paused=True))


def test_silence_is_heard_after_the_pause_if_it_still_holds() -> None:
    paused = timeline((10, Pause(until_us=20)))
    assert heard_at_us(paused, Signal.SILENCE, 15, None) == 20
    assert heard_at_us(paused, Signal.SILENCE, 15, 30) == 20
    assert heard_at_us(paused, Signal.SILENCE, 15, 20) is None
    assert heard_at_us(paused, Signal.SILENCE, 25, 26) == 25
    assert heard_at_us(timeline((10, Pause())), Signal.SILENCE, 15, None) == NEVER_US


def test_other_signals_are_heard_during_a_pause() -> None:
    assert heard_at_us(timeline((10, Pause())), Signal.FLUID, 15, 16) == 15
