"""From experiments.yaml to a `Config`, or to all that is wrong with it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from pydantic import BaseModel, ValidationError

from bench.config import target_reader
from bench.config.consistency import inconsistencies
from bench.config.mistakes import Mistake, one_of, refuse
from bench.config.model import ConfigModel, EntryModel
from bench.config.profiles import profile, question
from bench.config.settings import AXES, Axes, Config, Entry, Known
from bench.config.source import read
from bench.config.target_model import TargetConfigModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from bench.config.source import Loc, Source

_SHAPES = {
    "dict_type": "a mapping of names to settings",
    "list_type": "a list",
    "too_short": "a list of at least one value",
}


def load_config(
    path: Path, *, io_kinds: Sequence[str], servers: Sequence[str], passed: Sequence[str] = ()
) -> Config:
    """The checked configuration in `path`: of the application here, or, with `target`, of another.

    `io_kinds` and `servers` are the names it may use, `passed` the environment variables.

    Raises:
        BadInputError: the file can't be read or used; a line for each thing that is wrong,
            `experiments.yaml:12: matrix.workers[0]: found 0, allowed: …`.
    """
    known = Known(tuple(io_kinds), tuple(servers))
    source = read(path)
    mistakes = [*source.mistakes]
    of_target = isinstance(source.data, dict) and "target" in source.data
    root: type[BaseModel] = TargetConfigModel if of_target else ConfigModel
    try:
        model = root.model_validate(source.data, context=known)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        refuse([*mistakes, *(_mistake(detail, source, root) for detail in details)])
    if isinstance(model, TargetConfigModel):
        mistakes += target_reader.inconsistencies(path, model, source, passed)
        if mistakes:
            refuse(mistakes)
        return target_reader.config(path, model, source, known)
    if mistakes := [*mistakes, *inconsistencies(cast("ConfigModel", model), source)]:
        refuse(mistakes)
    return _config(path, cast("ConfigModel", model), source, known)


def _mistake(detail: ErrorDetails, source: Source, root: type[BaseModel]) -> Mistake:
    """One of pydantic's errors in our words."""
    loc: Loc = detail["loc"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(loc, source, root)
    if kind == "missing":
        return source.mistake(loc, "nothing", "this key with a value; it is needed")
    if kind == "allowed" and loc[-1] == "[key]" and source.at(loc) is None:
        return source.mistake(loc[:-1], "this name", detail["msg"])
    if kind == "model_type":
        allowed = f"a mapping with the keys {', '.join(_keys(root, loc))}"
    else:
        allowed = _SHAPES.get(kind, detail["msg"])
    return source.mistake(loc, source.found(loc), allowed)


def _unknown_key(loc: Loc, source: Source, root: type[BaseModel]) -> Mistake:
    if loc in {("matrix", "include"), ("matrix", "exclude")}:  # where GitHub Actions has it
        return source.mistake(loc, "this key inside matrix", "beside matrix")
    if loc == ("delay",):
        return source.mistake(loc, "this key beside profiles", "in each profile: {delay: 200ms, …}")
    return source.mistake(loc, "an unknown key", one_of(_keys(root, loc[:-1]), loc[-1]))


def _keys(root: type[BaseModel], loc: Loc) -> list[str]:
    """Those that a mapping at this place may have."""
    model = root
    for step in loc:
        field = model.model_fields.get(str(step))
        if field is not None:  # else the name or the number of one of several
            model = next(_models(field.annotation), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models within a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


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
        loop=tuple(matrix.loop),
        threads=tuple(matrix.threads),
        cores=tuple(matrix.cores),
        delay=tuple(matrix.delay),
        users=tuple(matrix.users),
        order=tuple(axis for axis in declared if axis in AXES),
        line=source.line(("matrix",)),
    )
    return Config(
        path=path,
        matrix=axes,
        include=_entries("include", model.include, source),
        exclude=_entries("exclude", model.exclude, source),
        default_profile=model.default_profile,
        profiles={name: profile(name, one) for name, one in model.profiles.items()},
        known=known,
        question=question(model.question),
    )


def _entries(kind: str, models: Sequence[EntryModel], source: Source) -> tuple[Entry, ...]:
    return tuple(
        Entry(f"{kind}[{index}]", source.line((kind, index)), model.model_dump(exclude_unset=True))
        for index, model in enumerate(models)
    )
