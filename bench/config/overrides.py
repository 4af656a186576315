"""What options change in a configuration, held to the same rules as the file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from bench.config import machines
from bench.config.durations import (
    format_duration,
    format_percentage,
    parse_duration,
    parse_percentage,
)
from bench.config.mistakes import Mistake, one_of, refuse
from bench.config.model import (
    Address,
    BudgetSeconds,
    Generators,
    LongestSeconds,
    Loop,
    MachineText,
    PrecisionShare,
    Python,
    Rate,
    Rounds,
    Seed,
    Server,
    Threads,
    Users,
    WarmupSeconds,
    WholeDelay,
    WindowSeconds,
)
from bench.config.model import Workers as WorkerCount
from bench.config.rules import spawn_rate_allowed, window_allowed
from bench.config.source import NUMBER, WHOLE
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.config.machines import Machine
    from bench.config.settings import Config, Known, Profile


AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What was asked for in place of the file's settings; None and () change nothing."""

    profile: str | None = None
    servers: tuple[str, ...] = ()
    workers: tuple[int, ...] = ()
    pythons: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    ladder: tuple[int, ...] = ()
    users: int | None = None
    rate: float | None = None
    in_flight: int | None = None
    delay_s: float | None = None
    budget_s: float | None = None
    precision: float | None = None
    longest_s: float | None = None
    warmup_s: float | None = None
    duration_s: float | None = None
    rounds: int | None = None
    generators: int | str | None = None  # or auto
    machines: tuple[str, ...] = ()
    listen: str | None = None
    seed: int | None = None
    select: tuple[str, ...] = ()


# field of Overrides: the option as it is typed, the rule of one value
_RULES: dict[str, tuple[str, TypeAdapter[Any]]] = {
    "servers": ("--server", TypeAdapter(Server)),
    "workers": ("--workers", TypeAdapter(WorkerCount)),
    "pythons": ("--python", TypeAdapter(Python)),
    "loops": ("--loop", TypeAdapter(Loop)),
    "threads": ("--threads", TypeAdapter(Threads)),
    "ladder": ("--ladder", TypeAdapter(Users)),
    "users": ("--users", TypeAdapter(Users)),
    "rate": ("--rate", TypeAdapter(Rate)),
    "in_flight": ("--in-flight", TypeAdapter(Users)),
    "delay_s": ("--delay", TypeAdapter(WholeDelay)),
    "budget_s": ("--budget", TypeAdapter(BudgetSeconds)),
    "precision": ("--precision", TypeAdapter(PrecisionShare)),
    "longest_s": ("--longest", TypeAdapter(LongestSeconds)),
    "warmup_s": ("--warmup", TypeAdapter(WarmupSeconds)),
    "duration_s": ("--duration", TypeAdapter(WindowSeconds)),
    "rounds": ("--rounds", TypeAdapter(Rounds)),
    "generators": ("--generators", TypeAdapter(Generators)),
    "machines": ("--generator", TypeAdapter(MachineText)),
    "listen": ("--listen", TypeAdapter(Address)),
    "seed": ("--seed", TypeAdapter(Seed)),
}
_OF_PROFILE = (
    *("users", "delay_s", "budget_s", "precision", "longest_s"),
    *("warmup_s", "duration_s", "rounds", "rate", "in_flight", "listen"),
)


def parse_overrides(
    *,
    profile: str | None = None,
    server: Sequence[str] = (),
    workers: Sequence[str] = (),
    python: Sequence[str] = (),
    loop: Sequence[str] = (),
    threads: Sequence[str] = (),
    ladder: Sequence[str] = (),
    users: str | None = None,
    rate: str | None = None,
    in_flight: str | None = None,
    delay: str | None = None,
    budget: str | None = None,
    precision: str | None = None,
    longest: str | None = None,
    warmup: str | None = None,
    duration: str | None = None,
    rounds: str | None = None,
    generators: str | None = None,
    generator: Sequence[str] = (),
    listen: str | None = None,
    seed: str | None = None,
    select: Sequence[str] = (),
) -> Overrides:
    """The options from their texts as typed; lists may be repeated or split by commas.

    Raises:
        BadInputError: a text is no duration or no whole number; a line for each.
    """
    typed = _Typed()
    overrides = Overrides(
        profile=profile,
        servers=_split(server),
        workers=tuple(typed.whole("workers", text) for text in _split(workers)),
        pythons=_split(python),
        loops=_split(loop),
        threads=tuple(typed.whole("threads", text) for text in _split(threads)),
        ladder=tuple(typed.whole("ladder", text) for text in _split(ladder)),
        users=None if users is None else typed.whole("users", users),
        rate=None if rate is None else typed.number("rate", rate),
        in_flight=None if in_flight is None else typed.whole("in_flight", in_flight),
        delay_s=None if delay is None else typed.seconds("delay_s", delay),
        budget_s=None if budget is None else typed.seconds("budget_s", budget),
        precision=None if precision is None else typed.share("precision", precision),
        longest_s=None if longest is None else typed.seconds("longest_s", longest),
        warmup_s=None if warmup is None else typed.seconds("warmup_s", warmup),
        duration_s=None if duration is None else typed.seconds("duration_s", duration),
        rounds=None if rounds is None else typed.whole("rounds", rounds),
        generators=(
            generators if generators in {None, AUTO} else typed.whole("generators", generators)
        ),
        machines=_split(generator),
        listen=listen,
        seed=None if seed is None else typed.whole("seed", seed),
        select=tuple(select),
    )
    if typed.mistakes:
        refuse(typed.mistakes)
    return overrides


def apply(config: Config, overrides: Overrides) -> tuple[Config, Profile]:
    """The configuration with the axes asked for, and the profile with the settings asked for.

    Raises:
        BadInputError: a line for each option that breaks a rule, or makes a setting break one.
    """
    name = config.default_profile if overrides.profile is None else overrides.profile
    mistakes = [*_broken(overrides, config.known)]
    profile = config.profiles.get(name)
    if profile is None:
        allowed = one_of([*config.profiles], name)
        refuse([Mistake("--profile", shown(name), allowed), *mistakes])
    if mistakes:
        refuse(mistakes)
    asked = {field: getattr(overrides, field) for field in _OF_PROFILE}
    given = {field: value for field, value in asked.items() if value is not None}
    given |= _generators(overrides)
    # One takes the place of the other.
    if "rounds" in given:
        given.setdefault("budget_s", None)
    elif "budget_s" in given:
        given["rounds"] = None
    if "rate" in given:  # an open load has its rate from the first request on
        given["spawn_rate"] = None
    changed = dataclasses.replace(profile, **given)
    mistakes = [*_unfit(changed, given)]
    if mistakes:
        refuse(mistakes)
    config = _with_axes(config, overrides)
    if mistakes := [*_unfit_levels(config, changed)]:
        refuse(mistakes)
    return _with_load(config, changed)


def _generators(overrides: Overrides) -> dict[str, Any]:
    """Here or on load machines, whichever was asked for."""
    asked = overrides.generators
    if overrides.machines and asked is not None:
        allowed = "one of the two: load2*4 is four processes there"
        refuse([Mistake("--generator", "beside --generators", allowed)])
    if overrides.machines:
        return {"generators": None, "machines": tuple(map(machines.parse, overrides.machines))}
    if asked is None:
        return {}
    return {"generators": None if asked == AUTO else asked, "machines": ()}


class _Typed:
    """Reads texts of options; what it can't read it notes, and gives 0 for."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def whole(self, field: str, text: str) -> int:
        if WHOLE.fullmatch(text):
            return int(text)
        option, rule = _RULES[field]
        self.mistakes.append(Mistake(option, shown(text), _allowed(rule, text) or "a number"))
        return 0

    def number(self, field: str, text: str) -> float:
        if NUMBER.fullmatch(text):
            return float(text)
        option, rule = _RULES[field]
        self.mistakes.append(Mistake(option, shown(text), _allowed(rule, text) or "a number"))
        return 1.0

    def share(self, field: str, text: str) -> float:
        try:
            return parse_percentage(text)
        except ValueError as error:
            self.mistakes.append(Mistake(_RULES[field][0], shown(text), str(error)))
            return 0.0

    def seconds(self, field: str, text: str) -> float:
        try:
            return parse_duration(text)
        except ValueError as error:
            self.mistakes.append(Mistake(_RULES[field][0], shown(text), str(error)))
            return 0.0


def _split(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for text in texts for part in text.split(","))


def _broken(overrides: Overrides, known: Known | None) -> Iterator[Mistake]:
    """Each value that breaks the rule of its kind, or stands there twice."""
    for field, (option, rule) in _RULES.items():
        value = getattr(overrides, field)
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        for index, one in enumerate(values):
            allowed = _allowed(rule, one, known)
            if allowed:
                yield Mistake(option, _text(field, one), allowed)
            if one in values[:index]:
                yield Mistake(option, f"{_text(field, one)} twice", "each value once")


def _allowed(rule: TypeAdapter[Any], value: object, known: Known | None = None) -> str | None:
    """What the rule allows, if that is not the value."""
    try:
        rule.validate_python(value, strict=True, context=known)
    except ValidationError as error:
        return error.errors(include_url=False)[0]["msg"]
    return None


def _text(field: str, value: object) -> str:
    if field == "precision" and isinstance(value, float) and 0 <= value < 1e9:
        return format_percentage(value)
    if field.endswith("_s") and isinstance(value, float) and 0 <= value < 1e9:
        return format_duration(value)
    return shown(str(value))


def _unfit(profile: Profile, given: Mapping[str, Any]) -> Iterator[Mistake]:
    """Only reached by an option: the file's own settings were held to this when loaded."""
    if profile.budget_s is not None and profile.rounds is not None:
        yield Mistake("--rounds", f"{profile.rounds} beside --budget", "one of the two")
    # A window that is given has no use for the longest.
    field = "longest_s" if profile.duration_s is None else "duration_s"
    window_s = profile.longest_s if profile.duration_s is None else profile.duration_s
    option = _RULES[field][0]
    if allowed := window_allowed(window_s, profile.delay_s):
        found = format_duration(window_s)
        if field in given:
            yield Mistake(option, found, allowed)
        else:
            found = f"{format_duration(profile.delay_s)} with the profile's {option} of {found}"
            yield Mistake("--delay", found, f"this with `{option}` {allowed}")
    yield from _unheard(profile.machines, profile.listen)
    if profile.rate is None and "in_flight" in given:
        yield Mistake("--in-flight", str(profile.in_flight), "only with an open load (--rate N)")
    if spawn_rate_allowed(profile.users, profile.spawn_rate):
        found = f"{profile.users} with the profile's spawn_rate {profile.spawn_rate:g}"
        yield Mistake("--users", found, "as many as are there within an hour")


def _unheard(asked: Sequence[Machine], listen: str | None) -> Iterator[Mistake]:
    if asked and listen is None:
        count = "1 load machine" if len(asked) == 1 else f"{len(asked)} load machines"
        allowed = "an address of this machine that they reach, as in 10.0.0.1"
        yield Mistake("--listen", f"not given, with {count}", allowed)


def machines_of(
    *, generator: Sequence[str], listen: str | None
) -> tuple[tuple[Machine, ...], str | None]:
    """Load machines from their texts as typed, and the address for them.

    Raises:
        BadInputError: a line for each mistake.
    """
    given = Overrides(machines=_split(generator), listen=listen)
    if mistakes := [*_broken(given, None)]:
        refuse(mistakes)
    found = tuple(map(machines.parse, given.machines))
    if mistakes := [*_unheard(found, listen)]:
        refuse(mistakes)
    return found, listen


def _unfit_levels(config: Config, profile: Profile) -> Iterator[Mistake]:
    """Delays and users that a matrix varies, in this profile."""
    entries = [entry.levels for entry in config.include]
    delays = [*config.matrix.delay, *(one["delay"] for one in entries if "delay" in one)]
    users = [*config.matrix.users, *(one["users"] for one in entries if "users" in one)]
    window_s = profile.longest_s if profile.duration_s is None else profile.duration_s
    for delay_s in delays:
        if allowed := window_allowed(window_s, float(delay_s)):
            option = "longest" if profile.duration_s is None else "duration"
            found = f"{format_duration(float(delay_s))} with the profile's {option} of"
            found = f"{found} {format_duration(window_s)}"
            yield Mistake("delay", found, f"this with `--{option}` {allowed}")
    for count in users:
        if allowed := spawn_rate_allowed(int(count), profile.spawn_rate):
            yield Mistake("users", f"{count} with the profile's spawn_rate", allowed)


def _with_load(config: Config, profile: Profile) -> tuple[Config, Profile]:
    """Users or a delay of which there is but one level are the profile's: all cells have them."""
    touched = {axis for entry in (*config.include, *config.exclude) for axis in entry.levels}
    for axis, field in (("users", "users"), ("delay", "delay_s")):
        levels = getattr(config.matrix, axis)
        if len(levels) == 1 and axis not in touched:
            profile = dataclasses.replace(profile, **{field: levels[0]})
            order = tuple(one for one in config.matrix.order if one != axis)
            less: dict[str, Any] = {axis: ()}
            matrix = dataclasses.replace(config.matrix, order=order, **less)
            config = dataclasses.replace(config, matrix=matrix)
    return config, profile


def _with_axes(config: Config, overrides: Overrides) -> Config:
    asked = {
        "server": overrides.servers,
        "workers": overrides.workers,
        "python": overrides.pythons,
        "loop": overrides.loops,
        "threads": overrides.threads,
        # What is asked for once is asked for all, whatever the file varies.
        "users": overrides.ladder
        or ((overrides.users,) if overrides.users is not None and config.matrix.users else ()),
        "delay": (overrides.delay_s,)
        if overrides.delay_s is not None and config.matrix.delay
        else (),
    }
    axes = {axis: levels for axis, levels in asked.items() if levels}
    if not axes:
        return config
    order = tuple(dict.fromkeys((*config.matrix.order, *axes)))
    matrix = dataclasses.replace(config.matrix, order=order, **axes)  # type: ignore[arg-type]
    return dataclasses.replace(config, matrix=matrix, axes_replaced=True)
