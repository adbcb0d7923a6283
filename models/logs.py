"""Logs as JSON, one object a line: an event's name and its values, never a patient's data."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO, TypeAlias

from models.errors import ThuiswachtError

Value: TypeAlias = str | int | float | bool | list[str] | list[int] | None
ErrorInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]

_VALUES = "thuiswacht_values"


class Log:
    """Writes events: `log.info("batch_committed", partition=3, records=500)`.

    Values are counts, offsets, names of our own things; of a patient the id alone.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **values: Value) -> None:
        """For who looks for a mistake."""
        self._write(logging.DEBUG, event, values)

    def info(self, event: str, **values: Value) -> None:
        """Something worth knowing happened as it should."""
        self._write(logging.INFO, event, values)

    def warning(self, event: str, **values: Value) -> None:
        """Something is not as it should be, and we go on by ourselves."""
        self._write(logging.WARNING, event, values)

    def error(self, event: str, *, error: BaseException | None = None, **values: Value) -> None:
        """Somebody has to look."""
        self._write(logging.ERROR, event, values, error)

    def _write(
        self, level: int, event: str, values: dict[str, Value], error: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            info = None if error is None else (type(error), error, error.__traceback__)
            self._logger.log(level, event, exc_info=info, extra={_VALUES: values})


def get(name: str) -> Log:
    """The log of a module: `log = logs.get(__name__)`."""
    return Log(logging.getLogger(name))


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends everything, also what libraries log, to `stream` (standard error) as JSON."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    # Thousands of lines about compiling, at debug.
    logging.getLogger("numba").setLevel(max(logging.INFO, root.level))
    # Addresses and headers of others, which may hold codes; and which letters of the alphabet a page has.
    for name in ("httpx", "httpcore", "fontTools", "fpdf"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def are_configured() -> bool:
    """Whether everything that is logged goes through us, and texts of errors are left out."""
    handlers = logging.getLogger().handlers
    return bool(handlers) and all(isinstance(handler.formatter, JsonLines) for handler in handlers)


class JsonLines(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update(getattr(record, _VALUES, {}))
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
            line["trace"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, default=str)


def describe(error: BaseException) -> str:
    """An error in one line: our own with its message, others by name only, for theirs may hold values.

    >>> describe(ValueError("weight 81.4"))
    'ValueError'
    """
    name = type(error).__name__
    if isinstance(error, ThuiswachtError | OSError):
        return f"{name}: {error}"
    state = getattr(error, "sqlstate", None)
    return f"{name} ({state})" if state else name
