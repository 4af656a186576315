"""The shape of a file for one's own application: `target`, `requests`, and what `model` has."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from bench.config.model import (
    LoadModel,
    Name,
    QuestionModel,
    Server,
    SettingsAxes,
    SettingsEntry,
    Strict,
    Workers,
    allowed_as,
    levels,
    not_allowed,
)

MOST_VALUES: Final = 10_000  # of a range or a list
LONGEST_TEXT: Final = 100_000
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_APP: Final = r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*"
_VARIABLE_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
_RANGE: Final = re.compile(r"(-?[0-9]{1,15})\.\.(-?[0-9]{1,15})")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.1
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")
_RESERVED: Final = ("transfer-encoding", "content-length", "host", "connection")
_ABSENT: Any = None


def _app(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(_APP, value):
        raise not_allowed("a module and a name in it, such as shop.main:app")
    return value


def _path(value: object) -> object:
    if not isinstance(value, str) or not value.startswith("/") or _bad(value, 8000):
        raise not_allowed("a path that begins with /, without spaces, such as /items")
    if "#" in value or "?" in value:
        raise not_allowed("a path without ? and #; put what follows ? under query")
    return value


def _bad(text: str, longest: int) -> bool:
    return len(text) > longest or bool(_UNPRINTABLE.search(text)) or " " in text


def _line(value: object) -> object:
    if not isinstance(value, str) or not value.strip() or _UNPRINTABLE.search(value):
        raise not_allowed("text on one line")
    if len(value) > LONGEST_TEXT:
        raise not_allowed(f"at most {LONGEST_TEXT} characters")
    return value


def _variable(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(_VARIABLE_NAME, value):
        raise not_allowed("a name of letters, digits and _, the first no digit")
    return value


def _header_name(value: object) -> object:
    if not isinstance(value, str) or not _HEADER.fullmatch(value):
        raise not_allowed("the name of a header, such as Authorization")
    if value.lower() in _RESERVED:
        raise not_allowed("another header: this one is made by the load generator")
    return value


def _header_value(value: object) -> object:
    if not isinstance(value, str) or _UNPRINTABLE.search(value) or not value.isascii():
        raise not_allowed("ASCII text on one line, in quotes if it looks like a number")
    return value


def _text(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise not_allowed("text or a number")
    return str(value)


def _values(value: object) -> object:
    """A scalar, a list of them, or a range: what is gone through in order."""
    if isinstance(value, str) and (found := _RANGE.fullmatch(value)):
        first, last = int(found[1]), int(found[2])
        if not 0 <= last - first < MOST_VALUES:
            raise not_allowed(f"a range that rises, of at most {MOST_VALUES} numbers")
        return [str(number) for number in range(first, last + 1)]
    values = value if isinstance(value, list) else [value]
    if not 0 < len(values) <= MOST_VALUES:
        raise not_allowed(f"from 1 to {MOST_VALUES} values")
    for one in values:
        if isinstance(one, bool) or not isinstance(one, str | int | float):
            raise not_allowed("text, a number, a list of them, or a range such as 1..50")
    return [str(one) for one in values]


def _method(value: object) -> object:
    if value not in METHODS:
        raise not_allowed(", ".join(METHODS))
    return value


def _contains(value: object) -> object:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) and one for one in values):
        raise not_allowed("a text, or a list of texts, each of which stands in the answer")
    return values


_TEXT_SCHEMA = WithJsonSchema({"type": ["string", "number"]})
_VALUES_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": ["string", "number"]},
            {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}},
        ]
    }
)
App = Annotated[
    str, BeforeValidator(_app), WithJsonSchema({"type": "string", "pattern": f"^{_APP}$"})
]
UrlPath = Annotated[
    str, BeforeValidator(_path), WithJsonSchema({"type": "string", "pattern": "^/"})
]
Line = Annotated[str, BeforeValidator(_line), WithJsonSchema({"type": "string"})]
Variable = Annotated[str, BeforeValidator(_variable)]
Text = Annotated[str, BeforeValidator(_text), _TEXT_SCHEMA]
HeaderName = Annotated[str, BeforeValidator(_header_name)]
HeaderValue = Annotated[str, BeforeValidator(_header_value), WithJsonSchema({"type": "string"})]
Values = Annotated[list[str], BeforeValidator(_values), _VALUES_SCHEMA]
Method = Annotated[
    str, BeforeValidator(_method), WithJsonSchema({"type": "string", "enum": [*METHODS]})
]
Contains = Annotated[
    list[str],
    BeforeValidator(_contains),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Status = Annotated[int, Field(ge=200, le=599), allowed_as("a status from 200 to 599")]
Weight = Annotated[int, Field(ge=1, le=1000), allowed_as("a whole number from 1 to 1000")]


class ExpectModel(Strict):
    """What a right answer is."""

    status: Status = Field(default=200, description="Its status; 200 unless said.")
    contains: Contains = Field(
        default_factory=list, description="Text that stands in its body, or a list of such texts."
    )


class AskModel(Strict):
    """What a request is made of."""

    method: Method = Field(default="GET", description="GET unless said.")
    path: UrlPath = Field(default=_ABSENT, description="Such as /items or /items/${id}.")
    query: dict[Text, Values] = Field(
        default_factory=dict,
        description="What follows the path's `?`: a value, a list, or a range such as 1..50. Lists"
        " and ranges are gone through in order.",
    )
    vary: dict[Variable, Values] = Field(
        default_factory=dict,
        description="Values of ${NAME} in path, headers and body, gone through in order.",
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="${NAME} stands for what login took, or --pass-env."
    )
    json_: Any = Field(default=_ABSENT, alias="json", description="A body, sent as JSON.")
    form: dict[Text, Text] = Field(default=_ABSENT, description="A body, sent as a form.")
    body: str = Field(default=_ABSENT, description="A body as text.")
    expect: ExpectModel = Field(default_factory=ExpectModel, description="A right answer.")


class RequestModel(AskModel):
    """One kind of request, a mix of kinds, or users of their own."""

    mix: dict[Name, Weight] = Field(
        default=_ABSENT,
        description="Kinds of requests, and how many of each come in turn: {list: 8, add: 1}.",
    )
    locustfile: Line = Field(
        default=_ABSENT,
        description="A file of locust's, relative to this one, whose users ask in place of ours.",
    )


class LoginModel(AskModel):
    """What each user asks once before it begins."""

    take: dict[Variable, Line] = Field(
        description="From its JSON answer, by the name in ${NAME}: {TOKEN: access_token}."
    )


class TargetModel(Strict):
    """The application."""

    app: App = Field(description="module:name of an ASGI callable, such as shop.main:app.")
    factory: bool = Field(default=False, description="app is a function that makes one.")
    path: Line = Field(default=".", description="Its folder, relative to this file.")
    install: list[Line] = Field(
        default_factory=list,
        description='Arguments of pip: ["-r requirements.txt"], ["."], [".[prod]"].',
    )
    env: dict[Variable, HeaderValue] = Field(
        default_factory=dict, description="Its environment variables; ${NAME} by --pass-env."
    )
    prepare: list[Line] = Field(
        default_factory=list, description="Commands, once a run for each environment."
    )
    before_trial: list[Line] = Field(
        default_factory=list, description="Commands, before each server starts."
    )
    after_trial: list[Line] = Field(
        default_factory=list, description="Commands, after each server has ended."
    )
    ready: UrlPath = Field(
        default=_ABSENT, description="Asked until it answers 200; else the first request."
    )
    login: LoginModel = Field(default=_ABSENT, description="What each user asks once.")


class TargetMatrixModel(SettingsAxes):
    """The axes. Each combination of their values is a cell."""

    request: Annotated[list[Name], levels] = Field(
        default_factory=list, description="Names of requests; all of them unless said."
    )
    server: Annotated[list[Server], levels] = Field(
        default_factory=lambda: ["uvicorn"], description="ASGI servers; uvicorn unless said."
    )
    workers: Annotated[list[Workers], levels] = Field(
        default_factory=lambda: [1], description="Numbers of worker processes; 1 unless said."
    )


class TargetEntryModel(SettingsEntry):
    """Values for some of the axes."""

    request: Name = Field(default=_ABSENT, description="A request.")
    server: Server = Field(default=_ABSENT, description="The ASGI server.")
    workers: Workers = Field(default=_ABSENT, description="Worker processes.")


class TargetConfigModel(Strict):
    """One's own application: how it is started, what is asked, on what."""

    target: TargetModel
    requests: Annotated[dict[Name, RequestModel], Field(min_length=1)] = Field(
        description="Named kinds of requests, and mixes of them."
    )
    matrix: TargetMatrixModel = Field(default_factory=TargetMatrixModel)
    include: list[TargetEntryModel] = Field(default_factory=list)
    exclude: list[TargetEntryModel] = Field(default_factory=list)
    default_profile: Name = Field(
        default="quick", description="The profile used when none is named."
    )
    profiles: dict[Name, LoadModel] = Field(
        default_factory=dict,
        description="Named load settings; `quick` (50 users, 5 minutes) unless there are some.",
    )
    question: QuestionModel = Field(default=_ABSENT, description="What `nox -s ask` answers.")
