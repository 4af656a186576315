"""The shape of experiments.yaml: types, limits and descriptions, in one place.

Each limit raises an error whose text says what is allowed, in a person's words; `reader` adds the
place and what was found. `schema` makes the editors' JSON Schema of the same models.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from bench.config import machines
from bench.config.durations import ALLOWED, PATTERN, PERCENTAGE, parse_duration, parse_percentage
from bench.config.mistakes import one_of
from bench.config.settings import ENDPOINTS, IN_FLIGHT, LONGEST_S, LOOPS, PRECISION, VERBS, WAYS
from locustfiles.arrivals import KINDS as ARRIVALS
from locustfiles.arrivals import POISSON

if TYPE_CHECKING:
    from pydantic import ValidatorFunctionWrapHandler

NAME_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"  # safe in file names and tables
PYTHON_PATTERN: Final = r"3\.[1-9][0-9]t?"  # 3.14t: the free-threaded build
ENUM_OF: Final = "x-enum-of"  # where `schema` puts the names known to Known's field


def not_allowed(allowed: str) -> PydanticCustomError:
    """The one kind of error our own checks raise; its message is what is allowed."""
    return PydanticCustomError("allowed", "{allowed}", {"allowed": allowed})


def allowed_as(text: str) -> WrapValidator:
    """Say what is allowed in one phrase, whichever of pydantic's limits was broken."""

    def check(value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError:
            raise not_allowed(text) from None

    return WrapValidator(check)


def _endpoint(value: object) -> object:
    if value not in ENDPOINTS:
        raise not_allowed(one_of(ENDPOINTS, value))
    return value


def _one_of(names: tuple[str, ...], value: object) -> object:
    if value not in names:
        raise not_allowed(one_of(names, value))
    return value


def _known(value: object, info: ValidationInfo, names: str) -> object:
    allowed: tuple[str, ...] = getattr(info.context, names)
    if value not in allowed:
        raise not_allowed(one_of(allowed, value))
    return value


def _io_kind(value: object, info: ValidationInfo) -> object:
    return _known(value, info, "io_kinds")


def _server(value: object, info: ValidationInfo) -> object:
    return _known(value, info, "servers")


def _python(value: object) -> object:
    if isinstance(value, float):
        raise not_allowed('a Python version in quotes, such as "3.12" (3.10 alone means 3.1)')
    if not isinstance(value, str) or not re.fullmatch(PYTHON_PATTERN, value):
        raise not_allowed('a Python version from "3.10" on, in quotes, such as "3.12"')
    return value


def _name(value: object) -> object:
    if not isinstance(value, str) or re.fullmatch(NAME_PATTERN, value) is None:
        raise not_allowed("1 to 64 of A-Z a-z 0-9 _ . -, the first a letter or digit")
    return value


def _whole_ms(value: float) -> float:
    """The delay server takes whole milliseconds: a fraction would not be what is run."""
    if Decimal(repr(value)) * 1000 % 1:
        raise not_allowed("whole milliseconds, such as 2ms")
    return value


def _machine(value: str) -> str:
    try:
        machines.parse(value)
    except ValueError as error:
        raise not_allowed(str(error)) from None
    return value


def _address(value: str) -> str:
    try:
        return machines.address(value)
    except ValueError as error:
        raise not_allowed(str(error)) from None


def _seconds(value: object) -> object:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ValueError:
        raise not_allowed(ALLOWED) from None


def _percentage(value: object) -> object:
    try:
        return parse_percentage(value if isinstance(value, str) else "")
    except ValueError as error:
        raise not_allowed(str(error)) from None


_duration = WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$"})
_duration_text = BeforeValidator(_seconds)

Endpoint = Annotated[
    str, BeforeValidator(_endpoint), WithJsonSchema({"type": "string", "enum": [*ENDPOINTS]})
]
IoKind = Annotated[str, BeforeValidator(_io_kind), WithJsonSchema({ENUM_OF: "io_kinds"})]
Server = Annotated[str, BeforeValidator(_server), WithJsonSchema({ENUM_OF: "servers"})]
Workers = Annotated[int, Field(ge=1, le=64), allowed_as("a whole number from 1 to 64")]
Python = Annotated[
    str,
    BeforeValidator(_python),
    WithJsonSchema({"type": "string", "pattern": f"^{PYTHON_PATTERN}$"}),
]
Loop = Annotated[
    str, BeforeValidator(lambda value: _one_of(LOOPS, value)), WithJsonSchema({"enum": [*LOOPS]})
]
Cores = Annotated[int, Field(ge=1, le=1024), allowed_as("a whole number from 1 to 1024")]
Threads = Annotated[int, Field(ge=1, le=10_000), allowed_as("a whole number from 1 to 10000")]
Name = Annotated[
    str, BeforeValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME_PATTERN}$"})
]
Sentence = Annotated[
    str, Field(min_length=1, max_length=1000), allowed_as("text of 1 to 1000 characters")
]
Link = Annotated[
    str,
    Field(pattern=r"^https://[!-~]+$", max_length=500),
    allowed_as("an address that begins with https://"),
]
By = Annotated[
    str, BeforeValidator(lambda value: _one_of(WAYS, value)), WithJsonSchema({"enum": [*WAYS]})
]
Verb = Annotated[
    str, BeforeValidator(lambda value: _one_of(VERBS, value)), WithJsonSchema({"enum": [*VERBS]})
]
Users = Annotated[int, Field(ge=1, le=100_000), allowed_as("a whole number from 1 to 100000")]
SpawnRate = Annotated[
    float,
    Field(gt=0, le=100_000, allow_inf_nan=False),
    allowed_as("a number over 0, at most 100000"),
]
Rounds = Annotated[int, Field(ge=1, le=1000), allowed_as("a whole number from 1 to 1000")]
Rate = Annotated[
    float,
    Field(gt=0, le=1_000_000, allow_inf_nan=False),
    allowed_as("a number over 0, at most 1000000"),
]
Arrivals = Annotated[
    str,
    BeforeValidator(lambda value: _one_of(ARRIVALS, value)),
    WithJsonSchema({"enum": [*ARRIVALS]}),
]
Generators = Annotated[
    Literal["auto"] | Annotated[int, Field(ge=1, le=256)],
    allowed_as("auto, or a whole number from 1 to 256"),
]
MachineText = Annotated[
    str,
    AfterValidator(_machine),
    WithJsonSchema({"type": "string", "pattern": f"^{machines.TEXT}$"}),
]
GeneratorsHere = Annotated[
    Literal["auto"]
    | Annotated[int, Field(ge=1, le=256)]
    | Annotated[list[MachineText], Field(min_length=1, max_length=256)],
    allowed_as("auto, a whole number from 1 to 256, or machines: [load1, user@load2*4]"),
]
Address = Annotated[
    str,
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "format": "ipv4"}),
]
Seed = Annotated[int, Field(ge=0, lt=2**32), allowed_as("a whole number from 0 to 4294967295")]
DelaySeconds = Annotated[
    float, Field(ge=0, le=4), allowed_as("from 0s to 4s (httpx gives up after 5)")
]
WarmupSeconds = Annotated[float, Field(ge=0, le=3600), allowed_as("from 0s to 60m")]
WindowSeconds = Annotated[float, Field(ge=1, le=86_400), allowed_as("from 1s to 1440m")]
BudgetSeconds = Annotated[float, Field(ge=1, le=604_800), allowed_as("from 1s to 10080m")]
LongestSeconds = Annotated[float, Field(ge=2, le=3600), allowed_as("from 2s to 60m")]
PrecisionShare = Annotated[float, Field(ge=0.001, le=1), allowed_as("from 0.1% to 100%")]
WholeDelay = Annotated[DelaySeconds, AfterValidator(_whole_ms)]
Delay = Annotated[WholeDelay, _duration_text, _duration]
Warmup = Annotated[WarmupSeconds, _duration_text, _duration]
Window = Annotated[WindowSeconds, _duration_text, _duration]
Budget = Annotated[BudgetSeconds, _duration_text, _duration]
Longest = Annotated[LongestSeconds, _duration_text, _duration]
Precision = Annotated[
    PrecisionShare,
    BeforeValidator(_percentage),
    WithJsonSchema({"type": "string", "pattern": f"^{PERCENTAGE}$"}),
]


class Strict(BaseModel):
    """No conversions, no unknown keys, no changes."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


_ABSENT: Any = None  # stands only where a key isn't given; null itself is refused
levels = Field(min_length=1, json_schema_extra={"uniqueItems": True})


class SettingsEntry(Strict):
    """A value for some of the axes that a cell needn't have."""

    python: Python = Field(
        default=_ABSENT, description='Python version, such as "3.12", or "3.14t" without its lock.'
    )
    loop: Loop = Field(default=_ABSENT, description="The event loop.")
    threads: Threads = Field(default=_ABSENT, description="Threads of each worker's pool.")
    cores: Cores = Field(default=_ABSENT, description="CPUs that all its workers may use.")
    users: Users = Field(default=_ABSENT, description="In place of the profile's.")


class SettingsAxes(Strict):
    """The axes that a cell needn't have."""

    python: Annotated[list[Python], levels] = Field(
        default_factory=list,
        description='Python versions in quotes, such as "3.12"; without it, the one at hand.',
    )
    loop: Annotated[list[Loop], levels] = Field(
        default_factory=list, description="Event loops; without it, uvloop."
    )
    threads: Annotated[list[Threads], levels] = Field(
        default_factory=list,
        description="Threads of each worker's pool (anyio's tokens); without it, its own 40.",
    )
    cores: Annotated[list[Cores], levels] = Field(
        default_factory=list,
        description="CPUs that all workers of a server may use; without it, as `--pin` says.",
    )
    users: Annotated[list[Users], levels] = Field(
        default_factory=list, description="Users; without it, the profile's."
    )


class EntryModel(SettingsEntry):
    """Values for some of the axes."""

    delay: Delay = Field(default=_ABSENT, description="In place of the profile's: 200ms.")
    endpoint: Endpoint = Field(default=_ABSENT, description="How the handler is written.")
    io: IoKind = Field(default=_ABSENT, description="What the handler waits for.")
    workers: Workers = Field(default=_ABSENT, description="Worker processes.")
    server: Server = Field(default=_ABSENT, description="The ASGI server.")


class MatrixModel(SettingsAxes):
    """The axes. Each combination of their values is a cell; the first listed varies slowest."""

    endpoint: Annotated[list[Endpoint], levels] = Field(
        description="How the handler is written: def, async def, or async def with blocking IO."
    )
    io: Annotated[list[IoKind], levels] = Field(
        description="What the handler waits for: a file in app/io."
    )
    workers: Annotated[list[Workers], levels] = Field(description="Numbers of worker processes.")
    server: Annotated[list[Server], levels] = Field(
        description="ASGI servers: requirements/server-NAME.txt."
    )
    delay: Annotated[list[Delay], levels] = Field(
        default_factory=list, description="What the delay server waits; without it, the profile's."
    )


class OpenModel(Strict):
    """Requests that come whether or not others have been answered."""

    kind: Annotated[Literal["open"], allowed_as("open")] = Field(description="open")
    rate: Rate = Field(description="Requests/s: 200.")
    arrivals: Arrivals = Field(
        default=POISSON,
        description="When they come: poisson (default), as of many users who don't know of each"
        " other, or constant.",
    )
    in_flight: Users = Field(
        default=IN_FLIGHT,
        description="How many may be in flight at once; with more the trial ends as overloaded.",
    )


class LoadModel(Strict):
    """Load settings."""

    users: Users = Field(
        description="Users, each asking again as soon as it is answered; not of an open load."
    )
    load: OpenModel = Field(
        default=_ABSENT,
        description="In place of users who wait for their answers: an open load,"
        " {kind: open, rate: 200}.",
    )
    budget: Budget = Field(
        default=_ABSENT,
        description="The time a run may take: 12m. Spent where it makes rows known.",
    )
    rounds: Rounds = Field(
        default=_ABSENT,
        description="In place of a budget: how often each cell is measured.",
    )
    precision: Precision = Field(
        default=PRECISION, description="How well each throughput is to be known: 10%."
    )
    longest: Longest = Field(
        default=LONGEST_S,
        description="The longest window, and the longest warm-up, of a trial that follows its"
        " cell: 20s.",
    )
    warmup: Warmup = Field(
        default=_ABSENT,
        description="From the last user's start to the window: 3s. Without it, as long as the"
        " cell needs.",
    )
    duration: Window = Field(
        default=_ABSENT,
        description="Length of the window, at least four delays: 6s. Without it, as long as the"
        " cell needs.",
    )
    spawn_rate: SpawnRate = Field(
        default=_ABSENT,
        description="Users started per second. Without it, spread over one of their rounds.",
    )
    generators: GeneratorsHere = Field(
        default="auto",
        description="Processes of the load generator. auto (default): one, and more for a cell"
        " that it can't load, where there are cores for them. Or other machines, as ssh takes them,"
        " each with its number of processes: [load1, user@load2*4].",
    )
    listen: Address = Field(
        default=_ABSENT,
        description="Where the servers under test listen, in place of 127.0.0.1: an address of this"
        " machine that those machines reach.",
    )


class ProfileModel(LoadModel):
    """Load settings of the application here, which waits for the delay server."""

    delay: Delay = Field(description="How long the delay server waits: 200ms, 1s.")


class ContestModel(Strict):
    """Cells held against cells."""

    a: Sentence = Field(description="The base, as `versus` takes a side: request=none.")
    b: Sentence = Field(description="What is held against it: request=three.")
    says: Sentence = Field(description="What b is, in words: three middlewares.")
    than: Sentence = Field(description="What a is, in words: none.")


class QuestionModel(Strict):
    """A question of `nox -s ask`."""

    asks: Sentence = Field(description="The question, as people ask it.")
    links: list[Link] = Field(min_length=1, description="Where people ask it.")
    by: By = Field(
        default="turns",
        description="How: `turns` of cells that compute, or `trials` of cells that wait.",
    )
    contests: list[ContestModel] = Field(min_length=1, description="The first is the answer.")
    do: dict[Verb, Sentence] = Field(
        description="What to do where the first contest's b is slower, faster or the same."
    )


class ConfigModel(Strict):
    """The matrix of experiments and its profiles."""

    matrix: MatrixModel
    include: list[EntryModel] = Field(
        default_factory=list,
        description="Extends the combinations whose values it doesn't change, else adds one.",
    )
    exclude: list[EntryModel] = Field(
        default_factory=list, description="Takes out each combination that has these values."
    )
    default_profile: Name = Field(description="The profile used when none is named.")
    profiles: dict[Name, ProfileModel] = Field(description="Named load settings.")
    question: QuestionModel = Field(default=_ABSENT, description="What `nox -s ask` answers.")
