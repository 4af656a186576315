"""From experiments.yaml to a `Config`, or to all that is wrong with it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from bench.config.consistency import inconsistencies
from bench.config.mistakes import Mistake, one_of, refuse
from bench.config.model import (
    ConfigModel,
    EntryModel,
    MatrixModel,
    ProfileModel,
)
from bench.config.settings import AXES, Axes, Config, Entry, Known, Profile
from bench.config.source import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from bench.config.source import Loc, Source

_SHAPES = {
    "dict_type": "a mapping of names to settings",
    "list_type": "a list",
    "too_short": "a list of at least one value",
}


def load_config(path: Path, *, io_kinds: Sequence[str], servers: Sequence[str]) -> Config:
    """The checked configuration in `path`.

    `io_kinds` and `servers` are the names it may use.

    Raises:
        BadInputError: the file can't be read or used; a line for each thing that is wrong,
            `experiments.yaml:12: matrix.workers[0]: found 0, allowed: …`.
    """
    known = Known(tuple(io_kinds), tuple(servers))
    source = read(path)
    mistakes = [*source.mistakes]
    try:
        model = ConfigModel.model_validate(source.data, context=known)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        refuse([*mistakes, *(_mistake(detail, source) for detail in details)])
    if mistakes := [*mistakes, *inconsistencies(model, source)]:
        refuse(mistakes)
    return _config(path, model, source, known)


def _mistake(detail: ErrorDetails, source: Source) -> Mistake:
    """One of pydantic's errors in our words."""
    loc: Loc = detail["loc"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(loc, source)
    if kind == "missing":
        return source.mistake(loc, "nothing", "this key with a value; it is needed")
    if kind == "allowed" and loc[-1] == "[key]" and source.at(loc) is None:
        return source.mistake(loc[:-1], "this name", detail["msg"])
    if kind == "model_type":
        allowed = f"a mapping with the keys {', '.join(_model_at(loc).model_fields)}"
    else:
        allowed = _SHAPES.get(kind, detail["msg"])
    return source.mistake(loc, source.found(loc), allowed)


def _unknown_key(loc: Loc, source: Source) -> Mistake:
    if loc in {("matrix", "include"), ("matrix", "exclude")}:  # where GitHub Actions has it
        return source.mistake(loc, "this key inside matrix", "beside matrix")
    if loc == ("delay",):
        return source.mistake(loc, "this key beside profiles", "in each profile: {delay: 200ms, …}")
    keys = [*_model_at(loc[:-1]).model_fields]
    return source.mistake(loc, "an unknown key", one_of(keys, loc[-1]))


def _model_at(loc: Loc) -> type[BaseModel]:
    if not loc:
        return ConfigModel
    if loc == ("matrix",):
        return MatrixModel
    return ProfileModel if loc[0] == "profiles" else EntryModel


def _config(path: Path, model: ConfigModel, source: Source, known: Known) -> Config:
    """The validated model as the harness's own data."""
    matrix = model.matrix
    declared = cast("dict[str, object]", source.at(("matrix",)))  # the model has its own order
    axes = Axes(
        endpoint=tuple(matrix.endpoint),
        io=tuple(matrix.io),
        workers=tuple(matrix.workers),
        server=tuple(matrix.server),
        python=tuple(matrix.python),
        order=tuple(axis for axis in declared if axis in AXES),
        line=source.line(("matrix",)),
    )
    return Config(
        path=path,
        matrix=axes,
        include=_entries("include", model.include, source),
        exclude=_entries("exclude", model.exclude, source),
        default_profile=model.default_profile,
        profiles={name: _profile(name, profile) for name, profile in model.profiles.items()},
        known=known,
    )


def _profile(name: str, model: ProfileModel) -> Profile:
    return Profile(
        name=name,
        users=model.users,
        delay_s=model.delay,
        budget_s=model.budget,
        rounds=model.rounds,
        precision=model.precision,
        longest_s=model.longest,
        spawn_rate=model.spawn_rate,
        warmup_s=model.warmup,
        duration_s=model.duration,
    )


def _entries(kind: str, models: Sequence[EntryModel], source: Source) -> tuple[Entry, ...]:
    return tuple(
        Entry(f"{kind}[{index}]", source.line((kind, index)), model.model_dump(exclude_unset=True))
        for index, model in enumerate(models)
    )
