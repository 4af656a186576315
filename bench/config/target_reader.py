"""From a file for one's own application to a `Config`, or to all that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote_plus

from bench.config.mistakes import one_of
from bench.config.profiles import profile, profile_mistakes, question
from bench.config.settings import TARGET_AXES, TARGET_NEEDED, Axes, Config, Entry, Known, Profile
from bench.config.target import Expect, Locustfile, Login, Request, Target
from bench.config.target_model import VARIABLE
from locustfiles import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.config.mistakes import Mistake
    from bench.config.source import Loc, Source
    from bench.config.target_model import (
        AskModel,
        RequestModel,
        TargetConfigModel,
        TargetEntryModel,
    )

# What a file that names no profile is measured with: an answer in minutes.
QUICK = Profile("quick", users=50, delay_s=0.0, budget_s=300.0)
BODIES = ("json_", "form", "body")
WHOLE = ("mix", "locustfile")  # what a request may be in place of all else


def config(path: Path, model: TargetConfigModel, source: Source, known: Known) -> Config:
    """The validated model as the harness's own data."""
    matrix = model.matrix
    declared = cast("dict[str, object]", source.at(("matrix",)) or {})
    order = tuple(axis for axis in declared if axis in TARGET_AXES)
    implied = tuple(axis for axis in TARGET_NEEDED if axis not in order)
    return Config(
        path=path,
        matrix=Axes(
            endpoint=(),
            io=(),
            request=tuple(matrix.request or model.requests),
            workers=tuple(matrix.workers),
            server=tuple(matrix.server),
            python=tuple(matrix.python),
            loop=tuple(matrix.loop),
            threads=tuple(matrix.threads),
            cores=tuple(matrix.cores),
            users=tuple(matrix.users),
            order=(*implied, *order),
            line=source.line(("matrix",)),
        ),
        include=_entries("include", model.include, source),
        exclude=_entries("exclude", model.exclude, source),
        default_profile=model.default_profile,
        profiles={name: profile(name, one) for name, one in model.profiles.items()}
        or {QUICK.name: QUICK},
        known=known,
        target=_target(path, model),
        question=question(model.question),
    )


def inconsistencies(
    path: Path, model: TargetConfigModel, source: Source, passed: Sequence[str]
) -> Iterator[Mistake]:
    """What only shows between the values; ``passed`` are the names given by --pass-env."""
    folder = path.parent / model.target.path
    if not folder.is_dir():
        where: Loc = ("target", "path")
        yield source.mistake(where, f"{source.found(where)}, no folder", "the project's folder")
    profiles = [*model.profiles] or [QUICK.name]
    if model.default_profile not in profiles:
        where = ("default_profile",)
        allowed = one_of(profiles, model.default_profile)
        yield source.mistake(where, source.found(where), allowed)
    for name, load in model.profiles.items():
        yield from profile_mistakes(name, load, source)
    yield from _levels(model, source)
    simple = [name for name, one in model.requests.items() if _is_simple(one)]
    for name, one in model.requests.items():
        yield from _request(("requests", name), one, simple, source)
        if "locustfile" in one.model_fields_set and not (path.parent / one.locustfile).is_file():
            where = ("requests", name, "locustfile")
            yield source.mistake(where, f"{source.found(where)}, no file", "a file of locust's")
    yield from _variables(model, source, passed)


def _levels(model: TargetConfigModel, source: Source) -> Iterator[Mistake]:
    """Each level once, and requests that there are."""
    for axis in TARGET_AXES:
        found = getattr(model.matrix, axis)
        for index, level in enumerate(found):
            where: Loc = ("matrix", axis, index)
            if level in found[:index]:
                yield source.mistake(where, f"{source.found(where)} again", "each value once")
            elif axis == "request" and level not in model.requests:
                allowed = one_of([*model.requests], level)
                yield source.mistake(where, source.found(where), allowed)
    for kind in ("include", "exclude"):
        for index, entry in enumerate(getattr(model, kind)):
            where = (kind, index)
            if not entry.model_fields_set:
                allowed = f"values for some of {', '.join(TARGET_AXES)}"
                yield source.mistake(where, "an empty mapping", allowed)
            elif entry.request is not None and entry.request not in model.requests:
                where = (*where, "request")
                allowed = one_of([*model.requests], entry.request)
                yield source.mistake(where, source.found(where), allowed)


def _is_simple(model: RequestModel) -> bool:
    return not model.model_fields_set & {*WHOLE}


def _request(
    place: Loc, model: RequestModel, simple: Sequence[str], source: Source
) -> Iterator[Mistake]:
    given = model.model_fields_set
    whole = next((kind for kind in WHOLE if kind in given), None)
    if whole is None:
        yield from _ask(place, model, source)
        return
    if others := sorted(given - {whole}):
        found = f"{whole} beside {', '.join(other.rstrip('_') for other in others)}"
        yield source.mistake(place, found, f"a {whole} alone, or a request")
    if whole != "mix":
        return
    if not model.mix:
        yield source.mistake((*place, "mix"), "an empty mapping", "kinds of requests and weights")
    for kind in model.mix or {}:
        if kind not in simple:
            yield source.mistake((*place, "mix", kind), f"{kind}", one_of(simple, kind))


def _ask(place: Loc, model: AskModel, source: Source) -> Iterator[Mistake]:
    if "path" not in model.model_fields_set:
        yield source.mistake(place, "no path", "a path such as /items, or a mix")
    bodies = [name for name in BODIES if name in model.model_fields_set]
    if len(bodies) > 1:
        found = " beside ".join(name.rstrip("_") for name in bodies)
        yield source.mistake(place, found, "one of json, form and body")


def _variables(
    model: TargetConfigModel, source: Source, allowed: Sequence[str]
) -> Iterator[Mistake]:
    """``${NAME}`` is what a list varies, login takes, or --pass-env gives; nothing else."""
    login = model.target.login
    took = {*login.take} if "login" in model.target.model_fields_set else set()
    for name, value in model.target.env.items():
        yield from _unknown(("target", "env", name), VARIABLE.findall(value), {*allowed}, source)
    asks: list[tuple[Loc, AskModel, set[str]]] = [
        (("requests", name), one, {*allowed} | took) for name, one in model.requests.items()
    ]
    if "login" in model.target.model_fields_set:
        yield from _ask(("target", "login"), login, source)
        asks.append((("target", "login"), login, {*allowed}))
    for place, one, known in asks:
        if "path" not in one.model_fields_set:
            continue
        made = as_request(str(place[-1]), one)
        needed = requests.names(requests_kind(made))
        yield from _unknown(place, sorted(needed), known, source)
        texts = json.dumps([made.path, made.body, dict(made.headers)])
        for name in one.vary:
            if f"${{{name}}}" not in texts:
                where = (*place, "vary", name)
                yield source.mistake(where, f"{name}, which is used nowhere", f"${{{name}}} in"
                                     " path, headers or body")  # fmt: skip


def _unknown(
    place: Loc, names: Sequence[str], known: set[str], source: Source
) -> Iterator[Mistake]:
    for name in names:
        if name not in known:
            allowed = "a name that `vary` or `login: take` has, or one given by `--pass-env NAME`"
            yield source.mistake(place, f"${{{name}}}", allowed)


def requests_kind(request: Request) -> dict[str, Any]:
    """As `locustfiles.requests` takes it."""
    return {
        "path": request.path,
        "query": request.query,
        "vary": request.vary,
        "headers": request.headers,
        "body": request.body,
    }


def _target(path: Path, model: TargetConfigModel) -> Target:
    found = model.target
    login = (
        Login(as_request("login", found.login), dict(found.login.take))
        if "login" in found.model_fields_set
        else None
    )
    return Target(
        app=found.app,
        path=(path.parent / found.path).resolve(),
        factory=found.factory,
        install=tuple(found.install),
        env=dict(found.env),
        prepare=tuple(found.prepare),
        before_trial=tuple(found.before_trial),
        after_trial=tuple(found.after_trial),
        ready=found.ready,
        login=login,
        requests={
            name: as_request(name, one) for name, one in model.requests.items() if _is_simple(one)
        },
        mixes={
            name: dict(one.mix)
            for name, one in model.requests.items()
            if "mix" in one.model_fields_set
        },
        locustfiles={
            name: _locustfile(path.parent / one.locustfile)
            for name, one in model.requests.items()
            if "locustfile" in one.model_fields_set
        },
    )


def _locustfile(path: Path) -> Locustfile:
    try:
        content = path.read_bytes()
    except OSError:  # it is gone again since it was looked for: locust will say so
        content = b""
    return Locustfile(str(path.resolve()), hashlib.sha256(content).hexdigest())


def as_request(name: str, model: AskModel) -> Request:
    """One kind of request; its body as the text that is sent."""
    body, encoding, type_ = _body(model)
    headers = dict(model.headers)
    if type_ is not None and "content-type" not in {header.lower() for header in headers}:
        headers["Content-Type"] = type_
    return Request(
        name=name,
        method=model.method,
        path=model.path,
        query={key: tuple(values) for key, values in model.query.items()},
        vary={key: tuple(values) for key, values in model.vary.items()},
        headers=headers,
        body=body,
        encoding=encoding,
        expect=Expect(model.expect.status, tuple(model.expect.contains)),
    )


def _body(model: AskModel) -> tuple[str | None, str | None, str | None]:
    """The text, how variables in it are encoded, and its media type."""
    given = model.model_fields_set
    if "json_" in given:
        return json.dumps(model.json_, ensure_ascii=False), "json", "application/json"
    if "form" in given:
        text = "&".join(f"{quote_plus(key)}={_form(value)}" for key, value in model.form.items())
        return text, "form", "application/x-www-form-urlencoded"
    return (model.body, None, None) if "body" in given else (None, None, None)


def _form(value: str) -> str:
    """Encoded, but for its variables."""
    parts = VARIABLE.split(value)
    return "".join(f"${{{part}}}" if at % 2 else quote_plus(part) for at, part in enumerate(parts))


def _entries(kind: str, models: Sequence[TargetEntryModel], source: Source) -> tuple[Entry, ...]:
    return tuple(
        Entry(f"{kind}[{index}]", source.line((kind, index)), model.model_dump(exclude_unset=True))
        for index, model in enumerate(models)
    )
