"""Who has work and gets nowhere is noticed; who waits, or was stopped itself, is not."""

import threading
import time

from models import watchdog
from models.probes import Health
from models.watchdog import watch
from tests.unit.models.test_probes import Seconds


def test_work_that_is_begun_has_to_get_on() -> None:
    seconds = Seconds()
    health = Health((), monotonic=seconds)
    health.begin("a batch")
    seconds.now += 5
    health.progress()
    health.begin("a batch")
    seconds.now += 1
    assert health.stall() == (6, "a batch")
    health.finish("a batch")
    assert health.stall() == (1, "the main loop")


def test_what_moves_or_waits_for_who_is_away_is_no_stall() -> None:
    seconds = Seconds()
    health = Health((), monotonic=seconds)
    health.begin("a batch")
    seconds.now += 100
    health.moved()
    assert health.stall()[0] == 0
    seconds.now += 2
    health.progress()
    assert health.stall() == (2, "a batch")


def test_a_main_loop_that_stands_still_is_ended_by_another_thread() -> None:
    said: list[str] = []
    health = Health(())
    # In this thread nothing happens meanwhile: that is the stall.
    watch(health, 0.2, threading.Event(), said.append)
    (why,) = said
    assert "the main loop" in why
    assert "0.2 s are allowed" in why


def test_one_that_comes_round_is_left_alone() -> None:
    said: list[str] = []
    health, stop = Health(()), threading.Event()
    watching = threading.Thread(target=watch, args=(health, 1.0, stop, said.append))
    watching.start()
    until_s = time.monotonic() + 2.5
    while time.monotonic() < until_s:
        health.progress()
        stop.wait(0.05)
    stop.set()
    watching.join()
    assert said == []


def test_who_was_stopped_with_the_whole_process_begins_to_count_anew() -> None:
    """As after SIGSTOP or the sleep of a machine: the time in which nothing could move does not count."""

    class Late(threading.Event):
        """The second look comes after everything stood still for long."""

        looks = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.looks += 1
            clock.now += 1000.0 if self.looks == 2 else timeout or 0.0
            return self.looks > 3

    clock, said = Seconds(), list[str]()
    health = Health((), monotonic=clock)
    health.begin("a batch")
    watch(health, 60.0, Late(), said.append, monotonic=clock)
    assert said == []
    assert health.stall()[0] < watchdog.PAUSE_S
