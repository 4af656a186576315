"""The JSON Schema that gives editors completion and checks, from the model that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.config.model import ENUM_OF, ConfigModel
from bench.config.settings import Known
from bench.config.target_model import TargetConfigModel

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def target_schema(*, servers: Sequence[str]) -> dict[str, Any]:
    """The schema of a file for one's own application (draft 2020-12)."""
    schema = _filled(TargetConfigModel.model_json_schema(by_alias=True), Known((), tuple(servers)))
    return {"$schema": _DIALECT, **schema, "title": "bench.yaml"}


def json_schema(*, io_kinds: Sequence[str], servers: Sequence[str]) -> dict[str, Any]:
    """The schema of experiments.yaml, for these io kinds and servers (draft 2020-12).

    What lies between values (a window of four delays, the default profile's existence) is
    beyond a schema: `load_config` checks it.
    """
    schema = _filled(ConfigModel.model_json_schema(), Known(tuple(io_kinds), tuple(servers)))
    return {"$schema": _DIALECT, **schema, "title": "experiments.yaml"}


def _filled(part: Any, known: Known) -> Any:
    """The same with the known names filled in, less the defaults and pydantic's titles."""
    if isinstance(part, list):
        return [_filled(item, known) for item in part]
    if not isinstance(part, dict):
        return part
    filled = {
        key: _filled(value, known)
        for key, value in part.items()
        if key not in {"default", ENUM_OF} and not (key == "title" and isinstance(value, str))
    }
    if ENUM_OF in part:
        filled |= {"type": "string", "enum": sorted(getattr(known, part[ENUM_OF]))}
    if "patternProperties" in part:  # names of profiles: pydantic leaves others open
        filled["additionalProperties"] = False
    return filled
