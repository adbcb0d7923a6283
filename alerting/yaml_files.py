"""YAML files that people write: read into plain values, each error with its file, line and field."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from models.errors import BadInput

DEEPEST_YAML = 12

Content = TypeVar("Content", bound=BaseModel)
Loaded = TypeVar("Loaded")


class BadFile(BadInput):
    """A file is wrong; `errors` has everything that is wrong with it, one by one."""

    def __init__(self, errors: Sequence[BadInput]) -> None:
        first = errors[0]
        super().__init__(where=first.where, expected=first.expected, found=first.found, reason="bad_file")
        self.args = ("\n".join(str(error) for error in errors),)
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file: the field as a path, what was expected, what was found."""

    path: tuple[str, ...]
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file's content as it was written, which knows its lines."""

    name: str
    tree: Any
    """A mapping of ruamel's."""

    def placed(self, problem: Problem) -> BadInput:
        """The problem with the line where it stands."""
        where = f"{self.name}, line {_line(self.tree, problem.path)}, {'.'.join(problem.path)}"
        return BadInput(where=where, expected=problem.expected, found=problem.found)


def read_text(file: Path) -> str:
    """What stands in a file. **Raises**: BadFile."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(
            [BadInput(where=file.name, expected="a readable UTF-8 file", found=str(error))]
        ) from error


def load_each(files: Iterable[Path], load: Callable[[Path], Loaded]) -> list[tuple[Path, Loaded]]:
    """What is in files, all of which are right. **Raises**: BadFile with what is wrong with any of them."""
    loaded: list[tuple[Path, Loaded]] = []
    errors: list[BadInput] = []
    for file in files:
        try:
            loaded.append((file, load(file)))
        except BadFile as bad:
            errors += bad.errors
    if errors:
        raise BadFile(errors)
    return loaded


def in_folder(folder: Path) -> list[Path]:
    """The YAML files of a folder, in the order of their names. **Raises**: BadFile where there is none."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise BadFile([BadInput(where=str(folder), expected="at least one *.yaml", found="none")])
    return files


def parse(text: str, name: str, what: str) -> YamlFile:
    """A text as YAML; `name` stands for it in errors, `what` it should be. **Raises**: BadFile."""
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = cast("Any", error).problem_mark
        where = f"{name}, line {1 if mark is None else mark.line + 1}"
        raise BadFile(
            [BadInput(where=where, expected="YAML", found=str(cast("Any", error).problem))]
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        found = str(error).strip().splitlines()[:1]
        raise BadFile(
            [BadInput(where=f"{name}, line 1", expected="YAML", found="".join(found) or "none")]
        ) from error
    if not isinstance(tree, CommentedMap):
        found = "nothing" if tree is None else _short(tree)
        raise BadFile([BadInput(where=f"{name}, line 1", expected=f"{what}, as `name: value`", found=found)])
    return YamlFile(name, tree)


def checked(
    file: YamlFile, model: type[Content], problems: Callable[[Content], Sequence[Problem]]
) -> Content:
    """The content of a file whose fields are right and, together, without problems. **Raises**: BadFile."""
    try:
        content = model.model_validate(_plain(file.tree))
    except ValidationError as error:
        raise BadFile([file.placed(as_problem(one)) for one in error.errors()]) from error
    if found := problems(content):
        raise BadFile([file.placed(problem) for problem in found])
    return content


def _plain(node: object, depth: int = 0) -> object:
    """Python's own types instead of ruamel's, which remember their layout."""
    if isinstance(node, CommentedMap | CommentedSeq) and depth > DEEPEST_YAML:
        return "something nested too deep"
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value, depth + 1) for key, value in _items(node)}
    if isinstance(node, CommentedSeq):
        return [_plain(value, depth + 1) for _, value in _items(node)]
    if node is None or isinstance(node, bool):
        return node
    plain = next((of for of in (int, float) if isinstance(node, of)), str)
    return plain(str(node))


def _items(node: object) -> Iterable[tuple[object, object]]:
    """What is in a mapping or sequence of ruamel's, which does not say so to the type checker."""
    untyped = cast("Any", node)
    items: Any = untyped.items() if isinstance(node, CommentedMap) else enumerate(untyped)
    return items


def as_problem(error: ErrorDetails) -> Problem:
    """What pydantic says of a field, in our words."""
    path = tuple(str(part) for part in error["loc"] if part != "[key]")
    context: Mapping[str, object] = error.get("ctx", {})
    found = str(context.get("found", "")) or _short(error["input"])
    expected = error["msg"].removeprefix("Input should be ")
    if error["type"] == "missing":
        expected, found = "the field", "nothing"
    elif error["type"] == "extra_forbidden":
        expected, found = "no such field", path[-1]
    return Problem(path, expected, found)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _line(tree: CommentedMap, path: Sequence[str]) -> int:
    """The line of a field, or of the nearest part around it that is in the file; counted from 1."""
    node: Any = tree
    line: int = node.lc.line
    for part in path:
        if isinstance(node, CommentedMap) and part in node:
            line = cast("Any", node).lc.key(part)[0]
            node = cast("Any", node)[part]
        elif isinstance(node, CommentedSeq) and part.isdigit() and int(part) < len(node):
            line = cast("Any", node).lc.item(int(part))[0]
            node = cast("Any", node)[int(part)]
        else:
            break
    return line + 1
