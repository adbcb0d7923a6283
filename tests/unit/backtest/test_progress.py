"""How far long work is: a bar on a terminal, lines elsewhere, nothing where nobody wants it."""

from io import StringIO

from alerting.backtest.progress import Progress


class Terminal(StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that goes on when it is told to."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_lines_come_now_and_then_with_the_time_that_is_left() -> None:
    to, clock = StringIO(), Clock()
    progress = Progress(to=to, now_s=clock)
    for second in range(13):
        clock.now_s = float(second)
        progress("patients evaluated", 100 * second, 2_000)
    assert to.getvalue() == (
        "thuiswacht: patients evaluated: 500 of 2,000, about 15 s left\n"
        "thuiswacht: patients evaluated: 1,000 of 2,000, about 10 s left\n"
    )


def test_a_terminal_has_a_bar_that_leaves_nothing_behind() -> None:
    to, clock = Terminal(), Clock()
    progress = Progress(to=to, now_s=clock)
    progress("reading", 0, 100)
    clock.now_s = 60.0
    progress("reading", 25, 100)
    progress.say("a line of its own")
    clock.now_s = 61.0
    progress("patients evaluated", 0, 4)
    progress.end()
    assert to.getvalue() == (
        "\r\033[K[██████··················] reading: 25 of 100, about 3 min 0 s left"
        "\r\033[Kthuiswacht: a line of its own\n"
    )


def test_nothing_is_told_where_nobody_wants_it() -> None:
    to = Terminal()
    progress = Progress(quiet=True, to=to)
    progress("reading", 1, 2)
    progress.say("a line")
    progress.end()
    assert to.getvalue() == ""
