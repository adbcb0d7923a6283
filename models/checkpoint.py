"""A checkpoint of the audit log: where each chain ended at a moment, as a file to be kept elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.audit import Head
from models.errors import BadInput


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    shard: Annotated[int, Field(ge=0)]
    number: Annotated[int, Field(ge=0)]
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    thuiswacht_audit_checkpoint: Literal[1]
    database: str
    made_at_us: int
    heads: Annotated[tuple[_Head, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the chains of a database ended. **Units**: `made_at_us` in microseconds since 1970 UTC."""

    database: str
    made_at_us: int
    heads: Mapping[int, Head]


def written(database: str, made_at_us: int, heads: Sequence[Head]) -> str:
    """The content of the file."""
    return _Written(
        thuiswacht_audit_checkpoint=1,
        database=database,
        made_at_us=made_at_us,
        heads=tuple(
            _Head(shard=head.shard, number=head.number, hash=head.hash.hex())
            for head in sorted(heads, key=lambda head: head.shard)
        ),
    ).model_dump_json(indent=2)


def read(content: str | bytes) -> Checkpoint:
    """What a file says. **Raises**: BadInput where it is not a checkpoint.

    >>> read(written("trial", 7, [Head(0, 1, bytes(32))])).heads[0].number
    1
    """
    try:
        found = _Written.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = "checkpoint." + ".".join(map(str, first["loc"]))
        raise BadInput(where=where, expected=first["msg"], found=first["type"]) from None
    heads = {head.shard: Head(head.shard, head.number, bytes.fromhex(head.hash)) for head in found.heads}
    return Checkpoint(found.database, found.made_at_us, heads)
