"""TOML files that people write: read into checked values, each error with its file, line and field."""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from alerting.yaml_files import BadFile, Problem, as_problem
from models.errors import BadInput

Content = TypeVar("Content", bound=BaseModel)
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def checked_toml(
    text: str, name: str, model: type[Content], problems: Callable[[Content], Sequence[Problem]]
) -> Content:
    """What a text says, where its fields are right and, together, without problems; `name` stands for it.

    **Raises**: BadFile with all that is wrong.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile([_no_toml(text, name, str(error))]) from error
    try:
        content = model.model_validate(tree)
    except ValidationError as error:
        told = [as_problem(one) for one in error.errors()]
    else:
        told = problems(content)
        if not told:
            return content
    raise BadFile(
        [
            BadInput(
                where=f"{name}, line {line_of(text, problem.path)}, {'.'.join(problem.path)}",
                expected=problem.expected,
                found=problem.found,
            )
            for problem in told
        ]
    )


def inline(value: object) -> str:
    """A value as TOML, on one line.

    >>> inline({"kind": "dinner", "effect": {"body_weight": [1.0, 2.5]}})
    '{ "kind" = "dinner", "effect" = { "body_weight" = [1.0, 2.5] } }'
    """
    if isinstance(value, dict):
        items = cast("Mapping[str, object]", value).items()
        return "{ " + ", ".join(f"{json.dumps(name)} = {inline(one)}" for name, one in items) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, cast("list[object]", value))) + "]"
    # A text, a number, true and false are in TOML as in JSON.
    return json.dumps(value)


def line_of(text: str, path: Sequence[str]) -> int:
    r"""The line of a field, or of the nearest part around it that is in the text; counted from 1.

    Python's reader does not tell lines. But a text that is cut off within a statement is no TOML, so the
    lines after which it is one are where statements end; and the statement after which a field is there is
    its own.

    >>> line_of("days = 3\n\n[trouble]\nlate = [\n1,\n]\n", ["trouble", "late"])
    4
    >>> line_of("days = 3\n\n[trouble]\nlate = 2\n", ["trouble", "duplicate"])
    3
    >>> line_of("days = 3\n", ["seed"])
    1
    """
    lines = text.splitlines(keepends=True)
    found, nearest, begin = 1, 0, 0
    for end in range(1, len(lines) + 1):
        try:
            tree = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        if (depth := _depth(tree, path)) > nearest:
            found, nearest = begin + 1, depth
        if nearest == len(path):
            break
        begin = end
    return found


def _depth(tree: object, path: Sequence[str]) -> int:
    """How far a path leads into a tree."""
    node = tree
    for depth, part in enumerate(path):
        if isinstance(node, dict) and part in node:
            node = cast("Mapping[str, Any]", node)[part]
        elif isinstance(node, list) and part.isdigit() and int(part) < len(cast("list[Any]", node)):
            node = cast("list[Any]", node)[int(part)]
        else:
            return depth
    return len(path)


def _no_toml(text: str, name: str, message: str) -> BadInput:
    place = _PLACE.search(message)
    line = place["line"] if place is not None and place["line"] else len(text.splitlines()) or 1
    found = message if place is None else message[: place.start()]
    return BadInput(where=f"{name}, line {line}", expected="TOML", found=found)
