"""What the page says, in Dutch and English, and how it writes numbers."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alerting.backtest.bootstrap import Figure
from alerting.backtest.counting import LEADS, Name
from alerting.explain.vocabulary import SIGNALS, Language
from alerting.texts import Texts, read_texts, say

TEXTS = Path(__file__).parent / "texts.yaml"
SHARES = frozenset(
    {
        Name.SENSITIVITY,
        Name.SENSITIVITY_DETECTABLE,
        Name.SENSITIVITY_BEFORE_WORST,
        Name.PRECISION,
        Name.FALSE_WITH_CAUSE,
    }
)
"""Figures that are told in per cent."""
MINUS = "−"
_NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says the texts in one language: `t("short.found", events="12", …)`."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """A text, with what stands in its braces. **Raises**: Broken for a key that there is not."""
        return say(texts(), key, self.language, values)

    def event_kind(self, kind: str) -> str:
        """What happened, in words where there are some: a label may call it anything.

        >>> [Speaker(Language.NL).event_kind(kind) for kind in ("delirium", "breathing", "fall_at_home")]
        ['delier', 'ademhaling', 'fall at home']
        """
        if (said := texts().get(f"event_kinds.{kind}")) is not None:
            return said[self.language]
        signals = {signal.value: words for signal, words in SIGNALS.items()}
        return signals[kind].said(self.language) if kind in signals else kind.replace("_", " ")

    def number(self, value: float, digits: int | None = None) -> str:
        """A number with as many digits as help: of small ones more.

        >>> [Speaker(Language.NL).number(value) for value in (0.1234, 4.56, 78.9, 12345.6, -0.5)]
        ['0,12', '4,6', '79', '12.346', '−0,50']
        """
        if digits is None:
            digits = 0 if abs(value) >= 20 else 1 if abs(value) >= 2 else 2
        text = f"{value:,.{digits}f}".replace("-", MINUS)
        if text.strip(f"{MINUS}0.,") == "":
            text = text.removeprefix(MINUS)
        return text.translate({44: ".", 46: ","}) if self.language is Language.NL else text

    def signed(self, value: float, digits: int | None = None) -> str:
        """A difference: what is more says so, and a little is not told as none: an interval may end there.

        >>> [Speaker(Language.NL).signed(value, 1) for value in (0.5, -0.04, 0.0, 0.0004)]
        ['+0,5', '−0,04', '0,0', '0,00']
        """
        if digits is not None and value and round(value, digits) == 0:
            digits += 1
        text = self.number(value, digits)
        return f"+{text}" if value > 0 and text.strip("0.,") else text

    def in_unit(self, name: Name, value: float | None, *, signed: bool = False) -> str:
        r"""A figure as it is written in text and tables.

        >>> Speaker(Language.EN).in_unit(Name.SENSITIVITY, 0.714)
        '71\xa0%'
        """
        if value is None:
            return self("unknown")
        written = self.signed if signed else self.number
        if name in SHARES:
            return f"{written(100 * value, int(signed))}{_NO_BREAK}{self('points') if signed else '%'}"
        return written(value, 1 if abs(value) >= 2 else 2) if name in LEADS else written(value)

    def figure(self, name: Name, figure: Figure | None) -> str:
        """A figure with its interval."""
        if figure is None or figure.value is None:
            return self("unknown")
        value = self.in_unit(name, figure.value)
        return value if figure.low is None else f"{value} ({self.bounds(name, figure)})"

    def bounds(self, name: Name, figure: Figure) -> str:
        """The interval of a figure."""
        low, high = (self.in_unit(name, bound) for bound in (figure.low, figure.high))
        return self(
            "interval", low=low.removesuffix(f"{_NO_BREAK}%"), high=high.removesuffix(f"{_NO_BREAK}%")
        )

    def difference(self, name: Name, figure: Figure | None) -> str:
        """A difference with its interval."""
        if figure is None or figure.value is None or figure.low is None or figure.high is None:
            return self("unknown")
        points = f"{_NO_BREAK}{self('points')}"
        bounds = (self.in_unit(name, bound, signed=True) for bound in (figure.low, figure.high))
        low, high = (bound.removesuffix(points) for bound in bounds)
        return self("difference", value=self.in_unit(name, figure.value, signed=True), low=low, high=high)

    def length(self, days: float) -> str:
        """A length of time without its sign.

        >>> Speaker(Language.EN).length(7.25), Speaker(Language.EN).length(-0.5)
        ('7.2 days', '12 hours')
        """
        days = abs(days)
        return (
            self("days", n=self.number(days, 1)) if days >= 2 else self("hours", n=self.number(24 * days, 0))
        )


@cache
def texts() -> Texts:
    """Every text by its key. **Raises**: Broken where a language is missing."""
    return read_texts(TEXTS.read_text(encoding="utf-8"), "texts.yaml")
