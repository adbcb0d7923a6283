"""Who is in which programme with which limits: a file of changes, as on the log or in a shorter form.

One change is one object: `patient_id`, `valid_from` (or `valid_from_us`), and the change itself by its name
as in `models.messages`: `enrol`, `limits`, `schedule`, `version`, `withdraw`, `pause`, `resume`, `admit`,
`discharge`, `end`, `register`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args
from uuid import UUID

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.timeline import Problem, timeline
from alerting.offline.bad_rows import MOST_TOLD
from alerting.offline.fields import FEW_DIGITS, significant_digits
from alerting.offline.moments import moment_us
from alerting.offline.patients import patient_uuid
from ingest.salvage import shown
from models.errors import BadInput
from models.messages import (
    MAX_SIGNIFICANT_DIGITS,
    AnyChange,
    ChangeContent,
    Enrol,
    Origin,
    PersonalLimit,
    PersonalSchedule,
    Register,
    SetLimits,
)

MODELS: Mapping[str, type[BaseModel]] = {
    field.alias or name: get_args(field.annotation)[0] for name, field in ChangeContent.model_fields.items()
}
NAMES = tuple(MODELS)
NOBODY = UUID(int=0)
ENVELOPE = (
    "schema",
    "type",
    "change_id",
    "patient_id",
    "valid_from",
    "valid_from_us",
    "correction",
    "change",
)
Item = Mapping[str, Any]


class BadRegistrations(BadInput):
    """A file of registrations is wrong; `errors` has what is wrong with it, one by one."""

    def __init__(self, errors: Sequence[BadInput]) -> None:
        first = errors[0]
        super().__init__(
            where=first.where, expected=first.expected, found=first.found, reason="bad_registrations"
        )
        more = ["… and more"] if len(errors) > MOST_TOLD else []
        self.args = ("\n".join([*map(str, errors[:MOST_TOLD]), *more]),)
        self.errors = tuple(errors)


class Said(NamedTuple):
    """A change, from when it holds (None: before the patient's first reading), and where that is said."""

    valid_from_us: int | None
    change: AnyChange
    where: str


@dataclass(slots=True)
class Registrations:
    """The changes of each patient in the order of the file; patients by the text that names them first."""

    texts: dict[UUID, str] = field(default_factory=dict[UUID, str])
    changes: dict[UUID, list[Said]] = field(default_factory=dict[UUID, list[Said]])
    everybody: Sequence[Said] = ()
    """The changes of those of whom nothing is said."""

    @classmethod
    def everybody_in(cls, newest: Mapping[str, int]) -> "Registrations":
        """Every patient is in all of these programmes, in these versions, with their defaults."""
        enrols = [Enrol(programme=name, version=version) for name, version in newest.items()]
        return cls(everybody=[Said(None, enrol, "") for enrol in enrols])

    def add(self, patient: str, said: Said) -> None:
        """Takes in a change of a patient."""
        key = patient_uuid(patient)
        self.texts.setdefault(key, patient)
        self.changes.setdefault(key, []).append(said)

    def leave_canaries_out(self) -> None:
        """Of canaries nothing is found: a log that went through the service has some, and they are nobody."""
        for said in self.changes.values():
            if any(isinstance(one.change, Register) and one.change.origin is Origin.CANARY for one in said):
                said.clear()

    def of(self, patient_id: UUID, first_us: int) -> Sequence[tuple[int, AnyChange]]:
        """The changes of a patient whose first reading was taken then. **Units**: microseconds."""
        said = self.changes.get(patient_id, self.everybody)
        dated = [one.valid_from_us for one in said if one.valid_from_us is not None]
        before_us = max(0, min([first_us - 1, *dated]))
        return [(before_us if one.valid_from_us is None else one.valid_from_us, one.change) for one in said]


def load(file: Path, programmes: CompiledProgrammes) -> Registrations:
    """The registrations of a file, all of which the engine can follow. **Raises**: BadRegistrations."""
    found = read(file, dict(sorted(programmes.versions)))
    errors = list(_problems(found, programmes))
    if errors:
        raise BadRegistrations(errors)
    return found


def read(file: Path, newest: Mapping[str, int]) -> Registrations:
    """The registrations of a file as they stand there: YAML, JSON, or one JSON object a line.

    `newest` has the version of each programme that is meant where none is said. **Raises**: BadRegistrations.
    """
    found = Registrations()
    errors: list[BadInput] = []
    for where, item in _items(file):
        try:
            found.add(*_said(item, where, newest))
        except BadInput as error:
            errors.append(error)
    if errors:
        raise BadRegistrations(errors)
    found.leave_canaries_out()
    return found


def _problems(registrations: Registrations, programmes: CompiledProgrammes) -> Iterator[BadInput]:
    """What in sound changes the engine could not follow. Most patients are like others, who are looked at."""
    found: dict[tuple[tuple[int, int], ...], Sequence[Problem]] = {}
    for key, said in registrations.changes.items():
        changes = registrations.of(key, 1)
        like = tuple((at_us, id(change)) for at_us, change in changes)
        if like not in found:
            found[like] = timeline(changes, programmes)[1]
        for problem in found[like]:
            yield BadInput(
                where=f"{said[problem.change].where}, {problem.field}",
                expected=problem.expected,
                found=shown(problem.found),
            )


def _items(file: Path) -> Iterator[tuple[str, object]]:
    """The changes of a file, each with where it stands."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(where=file.name, expected="a readable UTF-8 file", found=shown(str(error))) from error
    match file.suffix.lower():
        case ".ndjson" | ".jsonl":
            yield from _lines(file.name, text)
        case ".json":
            yield from _listed(file.name, _json(file.name, text), None)
        case ".yaml" | ".yml":
            yield from _yaml(file.name, text)
        case _:
            expected = "a name that ends in .yaml, .json, .ndjson"
            raise BadInput(where=file.name, expected=expected, found=file.name)


def _lines(name: str, text: str) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{name}, line {number}", _json(f"{name}, line {number}", line)


def _json(where: str, text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(where=where, expected="JSON", found=shown(str(error))) from error


class _Plain(SafeConstructor):
    """YAML as JSON has it: a time is a text."""


_Plain.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _yaml(name: str, text: str) -> Iterator[tuple[str, object]]:
    reader: Any = YAML(typ="safe", pure=True)
    reader.Constructor = _Plain
    try:
        content: Any = reader.load(text)
        node: Any = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        untyped: Any = error
        where = f"{name}, line {untyped.problem_mark.line + 1}" if untyped.problem_mark else name
        raise BadInput(where=where, expected="YAML", found=shown(str(untyped.problem))) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadInput(where=name, expected="YAML", found=shown(" ".join(str(error).split()))) from error
    if isinstance(content, dict):
        node = next((value for key, value in node.value if key.value == "changes"), None)
    lines = [item.start_mark.line + 1 for item in node.value] if node is not None else []
    yield from _listed(name, content, lines)


def _listed(name: str, content: Any, lines: Sequence[int] | None) -> Iterator[tuple[str, object]]:
    listed: Any = cast("dict[str, Any]", content).get("changes") if isinstance(content, dict) else content
    if not isinstance(listed, list):
        expected, found = "a list of changes, or `changes:` and a list", type(listed).__name__
        raise BadInput(where=name, expected=expected, found=found)
    for place, item in enumerate(cast("list[object]", listed)):
        yield f"{name}, line {lines[place]}" if lines else f"{name}, change {place + 1}", item


def _said(item: object, where: str, newest: Mapping[str, int]) -> tuple[str, Said]:
    """What one change says, and of whom."""
    if not isinstance(item, dict):
        raise BadInput(where=where, expected="a change", found=shown(item))
    fields = cast("dict[str, Any]", item)
    patient = fields.get("patient_id")
    if isinstance(patient, bool) or not isinstance(patient, str | int) or patient == "":
        raise BadInput(where=f"{where}, patient_id", expected="the patient", found=shown(patient))
    unknown = [name for name in fields if name not in (*ENVELOPE, *NAMES)]
    if unknown:
        raise BadInput(where=where, expected=f"one of {', '.join(NAMES)}", found=shown(unknown[0]))
    content = fields.get("change")
    if content is None:
        content = _spelled_out({name: fields[name] for name in NAMES if name in fields}, where, newest)
    return str(patient), Said(_valid_from_us(fields, where), _change(content, where), where)


def _valid_from_us(fields: Mapping[str, Any], where: str) -> int | None:
    said = fields.get("valid_from", fields.get("valid_from_us"))
    return None if said is None else moment_us(str(said), f"{where}, valid_from")


def _change(content: object, where: str) -> AnyChange:
    try:
        only = _content(json.dumps(content))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        expected = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        raise BadInput(
            where=f"{where}, {at}" if at else where, expected=expected, found=shown(first["input"])
        ) from error
    if only is None:
        raise BadInput(where=where, expected=f"one of {', '.join(NAMES)}", found="nothing")
    for name, limit in _limits(only):
        if significant_digits(repr(limit.value)) > MAX_SIGNIFICANT_DIGITS:
            raise BadInput(where=f"{where}, limits.{name}", expected=FEW_DIGITS, found=repr(limit.value))
    return only


@lru_cache(maxsize=100_000)
def _content(text: str) -> AnyChange | None:
    """What a text says, the same object for the same text: thousands are enrolled in the same way."""
    return ChangeContent.model_validate_json(text).only


def _limits(change: AnyChange) -> Iterator[tuple[str, PersonalLimit]]:
    limits = change.limits if isinstance(change, Enrol | SetLimits) else {}
    return ((name, limit) for name, limit in limits.items() if limit is not None)


def _spelled_out(content: Mapping[str, Any], where: str, newest: Mapping[str, int]) -> Mapping[str, Any]:
    """The shorter form as it is on the log: what may be left out is there, a time is in microseconds."""
    spelled: dict[str, Any] = {}
    for name, fields in content.items():
        given: object = {} if fields is None else fields
        if isinstance(given, dict):
            given = _filled(name, cast("dict[str, Any]", given), f"{where}, {name}", newest)
        spelled[name] = given
    return spelled


def _filled(name: str, given: dict[str, Any], where: str, newest: Mapping[str, int]) -> dict[str, Any]:
    filled = _in_microseconds(given, where)
    if name == "register":
        filled = {"origin": Origin.SIMULATED.value, "organisation_id": str(NOBODY), **filled}
    elif name in ("enrol", "version") and filled.get("programme") in newest:
        filled = {"version": newest[filled["programme"]], **filled}
    _require_known(filled, MODELS[name], where)
    for part, model in (("limits", PersonalLimit), ("schedule", PersonalSchedule)):
        personal = filled.get(part)
        if isinstance(personal, dict):
            filled[part] = {
                key: _personal(value, model, f"{where}.{part}.{key}")
                for key, value in cast("dict[str, Any]", personal).items()
            }
    return filled


def _personal(value: object, model: type[BaseModel], where: str) -> object:
    if not isinstance(value, dict):
        return value
    filled = {"set_by": "registrations", **_in_microseconds(cast("dict[str, Any]", value), where)}
    _require_known(filled, model, where)
    return filled


def _in_microseconds(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    if given.get("until") is None:
        return {name: value for name, value in given.items() if name != "until"}
    until_us = moment_us(str(given["until"]), f"{where}.until")
    return {**{name: value for name, value in given.items() if name != "until"}, "until_us": until_us}


def _require_known(given: Mapping[str, Any], model: type[BaseModel], where: str) -> None:
    """A misspelt field would be left out without a word."""
    unknown = [name for name in given if name not in model.model_fields]
    if unknown:
        expected = f"one of {', '.join(model.model_fields) or 'no fields'}"
        raise BadInput(where=where, expected=expected, found=shown(unknown[0]))
