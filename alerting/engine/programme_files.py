"""Programme files: YAML in, checked programmes out, every error with its file and line."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from alerting.engine.programme import Programme
from alerting.engine.programme_checks import Problem, problems
from models.errors import BadInput

PACKAGED = Path(__file__).parent.parent / "programmes"
DEEPEST_YAML = 12


class BadProgramme(BadInput):
    """A programme file is wrong; `errors` has everything that is wrong with it, one by one."""

    def __init__(self, errors: Sequence[BadInput]) -> None:
        first = errors[0]
        super().__init__(
            where=first.where, expected=first.expected, found=first.found, reason="bad_programme"
        )
        self.args = ("\n".join(str(error) for error in errors),)
        self.errors = tuple(errors)


def load_folder(folder: Path = PACKAGED) -> tuple[Programme, ...]:
    """All programmes of a folder, by name and version. **Raises**: BadProgramme."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise BadProgramme([BadInput(where=str(folder), expected="at least one *.yaml", found="none")])
    loaded: dict[tuple[str, int], tuple[Path, Programme]] = {}
    for file in files:
        programme = load_file(file)
        key = programme.programme, programme.version
        if key in loaded:
            other = loaded[key][0].name
            raise BadProgramme(
                [
                    BadInput(
                        where=file.name,
                        expected="one file per programme and version",
                        found=f"{key} in {other}",
                    )
                ]
            )
        loaded[key] = file, programme
    return tuple(programme for _, (_, programme) in sorted(loaded.items()))


def load_file(file: Path) -> Programme:
    """The programme of one file. **Raises**: BadProgramme."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadProgramme(
            [BadInput(where=file.name, expected="a readable UTF-8 file", found=str(error))]
        ) from error
    return load_text(text, file.name)


def load_text(text: str, name: str) -> Programme:
    """The programme that a text describes; `name` stands for it in errors. **Raises**: BadProgramme."""
    tree = _tree(text, name)
    try:
        programme = Programme.model_validate(_plain(tree))
    except ValidationError as error:
        raise BadProgramme([_from_pydantic(name, tree, one) for one in error.errors()]) from error
    if found := problems(programme):
        raise BadProgramme([_placed(name, tree, problem) for problem in found])
    return programme


def _tree(text: str, name: str) -> CommentedMap:
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = cast("Any", error).problem_mark
        where = f"{name}, line {1 if mark is None else mark.line + 1}"
        raise BadProgramme(
            [BadInput(where=where, expected="YAML", found=str(cast("Any", error).problem))]
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        found = str(error).strip().splitlines()[:1]
        raise BadProgramme(
            [BadInput(where=f"{name}, line 1", expected="YAML", found="".join(found) or "none")]
        ) from error
    if not isinstance(tree, CommentedMap):
        raise BadProgramme(
            [
                BadInput(
                    where=f"{name}, line 1",
                    expected="a programme, as `name: value`",
                    found="nothing" if tree is None else _short(tree),
                )
            ]
        )
    return tree


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


def _from_pydantic(name: str, tree: CommentedMap, error: ErrorDetails) -> BadInput:
    path = tuple(str(part) for part in error["loc"] if part != "[key]")
    context: Mapping[str, object] = error.get("ctx", {})
    found = str(context.get("found", "")) or _short(error["input"])
    expected = error["msg"].removeprefix("Input should be ")
    if error["type"] == "missing":
        expected, found = "the field", "nothing"
    elif error["type"] == "extra_forbidden":
        expected, found = "no such field", path[-1]
    return _placed(name, tree, Problem(path, expected, found))


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _placed(name: str, tree: CommentedMap, problem: Problem) -> BadInput:
    where = f"{name}, line {_line(tree, problem.path)}, {'.'.join(problem.path)}"
    return BadInput(where=where, expected=problem.expected, found=problem.found, reason="bad_programme")


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
