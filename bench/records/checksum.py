"""A checksum in the JSON text that it is of: ``{"crc32":"9a0b1c2d","schema":1,…``.

The sum is of the text without that key, byte for byte. So a byte that a disk or
a copy has turned over is seen, even where what it left still reads as a figure.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from bench.records.bounds import implausible
from bench.records.model import SCHEMA, ControlRecord, RunRecord, SeriesRecord, TrialRecord
from bench.text import shown

LINE: Final = b'{"crc32":"'  # how a record in a line begins
PAGE: Final = b'{\n "crc32": "'  # and one on lines of its own
_DIGITS: Final = 8

Record = TypeVar("Record", bound=TrialRecord | SeriesRecord | ControlRecord | RunRecord)


@dataclass(frozen=True, slots=True)
class Broken:
    """In the place of a record that can't be used."""

    what: str  # is wrong with it
    foreign: bool = False  # it is of a schema that isn't ours


def seal(text: bytes, opening: bytes) -> bytes:
    """A JSON object with its sum as the first key."""
    return b'%b%b",%b' % (opening, _sum(text), text[1:])


def unseal(sealed: bytes, opening: bytes, adapter: TypeAdapter[Record]) -> Record | Broken:
    """The record, if it is what was sealed, and of our schema."""
    if not sealed.startswith(opening):
        return _unsealed(sealed)
    digits, rest = sealed[len(opening) :][:_DIGITS], sealed[len(opening) + _DIGITS :]
    text = b"{" + rest[2:]
    if rest[:2] != b'",' or digits != _sum(text):
        cut = not sealed.rstrip().endswith(b"}")
        return Broken("it is cut off" if cut else "its checksum doesn't match")
    try:
        record = adapter.validate_json(text)
    except ValidationError as error:
        return _other_schema(text) or Broken(_first_fault(error))
    fault = implausible(record)
    return Broken(shown(fault, 200)) if fault else record


def _sum(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)


def _unsealed(text: bytes) -> Broken:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return Broken("it is no JSON")
    return _other_schema(text) or Broken("it has no checksum")


def _other_schema(text: bytes) -> Broken | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    schema = found.get("schema") if isinstance(found, dict) else None
    if type(schema) is not int or schema == SCHEMA:
        return None
    return Broken(f"it is of schema {schema}, this version reads {SCHEMA}", foreign=True)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the whole"
    told = f"{shown(where, 200)}: {shown(fault['msg'], 300)}"
    return f"it is no record that this version wrote: {told}"
