"""What each command is asked, in types, from what argparse has of the command line."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - part of a type that is made when it runs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import shards
from bench.config import Overrides, machines_of, parse_overrides
from bench.errors import BadInputError
from bench.run.options import RunOptions
from bench.text import shown

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from bench.config import Machine
    from bench.shards import Shard

ASK_S = 280.0  # of a question, so that it is answered within five minutes


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What to measure."""

    command: str
    config: Path
    names: tuple[str, ...]  # of `single`
    overrides: Overrides
    pass_env: tuple[str, ...] = ()  # variables that one's own application may have
    shard: Shard | None = None  # the part of it that this machine measures


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What to measure, and how."""

    plan: PlanOptions
    run: RunOptions
    quiet: bool = False  # shows only problems and the end


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Of `report` and `readme`."""

    output: Path
    run: str | None  # None: the published one
    summary: Path | None
    check: bool


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """Of `compare`."""

    output: Path
    a: str
    b: str
    threshold: float  # 0.05: 5 %
    anyway: bool
    fail_on_regression: bool
    json: Path | None
    html: Path | None
    effects: bool  # what each run says within itself, in place of cell by cell
    summary: Path | None


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Of `export`."""

    format: str
    run: str | None  # None: the published one
    target: Path | None  # None: standard output
    metric: str | None  # None: the format's own


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """Of `doctor`."""

    output: Path
    fix: bool
    config: Path | None  # None: experiments.yaml
    machines: tuple[Machine, ...] = ()  # load machines to look at,
    listen: str | None = None  # and where servers would listen for them


@dataclass(frozen=True, slots=True)
class InitOptions:
    """Of `init`."""

    project: Path
    app: str | None  # None: it is looked for


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """Of `profile`."""

    plan: PlanOptions
    output: Path


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """Of `merge`."""

    runs: tuple[str, ...]
    output: Path


@dataclass(frozen=True, slots=True)
class CapacityOptions:
    """Of `capacity`."""

    plan: PlanOptions
    slos: tuple[str, ...]
    json: Path | None


@dataclass(frozen=True, slots=True)
class AbOptions:
    """Of `ab` and `versus`."""

    plan: PlanOptions
    sides: tuple[str, ...]  # revisions, or what cells they have
    worktree: bool  # the second side is what isn't committed
    threshold: float
    output: Path
    fail_on_regression: bool
    markdown: Path | None  # also appended here
    quiet: bool


@dataclass(frozen=True, slots=True)
class AskOptions:
    """Of `ask`."""

    names: tuple[str, ...]
    every: bool
    write: bool  # docs/answers.md, too
    check: bool  # it alone
    budget_s: float  # of each question
    seed: int
    output: Path
    quiet: bool


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """Of `bench` and `selfcheck`."""

    command: str
    names: tuple[str, ...]
    quick: bool


Options = (
    PlanOptions
    | MeasureOptions
    | ReportOptions
    | CompareOptions
    | DoctorOptions
    | ExportOptions
    | CheckOptions
    | InitOptions
    | AskOptions
    | AbOptions
    | ProfileOptions
    | CapacityOptions
    | MergeOptions
    | None
)


def _plan_options(chosen: argparse.Namespace) -> PlanOptions:
    shard = getattr(chosen, "shard", None)
    return PlanOptions(
        command=chosen.command,
        config=chosen.config,
        names=tuple(getattr(chosen, "names", ())),
        overrides=parse_overrides(
            profile=chosen.profile,
            server=chosen.server,
            workers=chosen.workers,
            python=chosen.python,
            loop=chosen.loop,
            threads=chosen.threads,
            ladder=chosen.ladder,
            users=chosen.users,
            rate=chosen.rate,
            in_flight=chosen.in_flight,
            delay=chosen.delay,
            budget=chosen.budget,
            precision=chosen.precision,
            longest=chosen.longest,
            warmup=chosen.warmup,
            duration=chosen.duration,
            rounds=chosen.rounds,
            generators=chosen.generators,
            generator=chosen.generator,
            listen=chosen.listen,
            seed=chosen.seed,
            select=chosen.select,
        ),
        pass_env=tuple(chosen.pass_env),
        shard=None if shard is None else shards.parse(shard),
    )


def _measure_options(chosen: argparse.Namespace) -> MeasureOptions:
    run = RunOptions(
        command=chosen.command,
        output=chosen.output,
        fresh=chosen.fresh,
        resume=chosen.resume,
        keep_raw=chosen.raw == "keep",
        probe=chosen.probe == "on",
        pin=chosen.pin,
    )
    return MeasureOptions(_plan_options(chosen), run, chosen.quiet)


def _report_options(chosen: argparse.Namespace) -> ReportOptions:
    return ReportOptions(
        output=chosen.output,
        run=chosen.run,
        summary=chosen.summary,
        check=getattr(chosen, "check", False),
    )


def _compare_options(chosen: argparse.Namespace) -> CompareOptions:
    return CompareOptions(
        output=chosen.output,
        a=chosen.a,
        b=chosen.b,
        threshold=_threshold(chosen.threshold),
        anyway=chosen.anyway,
        fail_on_regression=chosen.fail_on == "regression",
        json=chosen.json,
        effects=chosen.effects,
        summary=chosen.summary,
        html=chosen.html,
    )


def _export_options(chosen: argparse.Namespace) -> ExportOptions:
    return ExportOptions(
        format=chosen.format, run=chosen.run, target=chosen.output, metric=chosen.metric
    )


def _doctor_options(chosen: argparse.Namespace) -> DoctorOptions:
    found = machines_of(generator=chosen.generator, listen=chosen.listen)
    return DoctorOptions(chosen.output, chosen.fix, chosen.config, *found)


def _check_options(chosen: argparse.Namespace) -> CheckOptions:
    return CheckOptions(chosen.command, tuple(chosen.names), chosen.quick)


def _init_options(chosen: argparse.Namespace) -> InitOptions:
    return InitOptions(chosen.project, chosen.app)


def _profile_options(chosen: argparse.Namespace) -> ProfileOptions:
    return ProfileOptions(_plan_options(chosen), chosen.output)


def _merge_options(chosen: argparse.Namespace) -> MergeOptions:
    return MergeOptions(tuple(chosen.runs), chosen.output)


def _capacity_options(chosen: argparse.Namespace) -> CapacityOptions:
    return CapacityOptions(_plan_options(chosen), tuple(chosen.slo), chosen.json)


def _ab_options(chosen: argparse.Namespace) -> AbOptions:
    return AbOptions(
        plan=_plan_options(chosen),
        sides=tuple(chosen.sides),
        worktree=getattr(chosen, "worktree", False),
        threshold=_threshold(chosen.threshold),
        output=chosen.output,
        fail_on_regression=chosen.fail_on == "regression",
        markdown=chosen.summary,
        quiet=chosen.quiet,
    )


def _ask_options(chosen: argparse.Namespace) -> AskOptions:
    asked = parse_overrides(budget=chosen.budget, seed=chosen.seed)
    return AskOptions(
        names=tuple(chosen.names),
        every=chosen.all,
        write=chosen.write,
        check=chosen.check,
        budget_s=ASK_S if asked.budget_s is None else asked.budget_s,
        seed=1 if asked.seed is None else asked.seed,
        output=chosen.output,
        quiet=chosen.quiet,
    )


def _threshold(typed: str) -> float:
    try:
        value = float(typed.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not (typed.endswith("%") and 0 <= value <= 1000):
        raise BadInputError(f"--threshold: found {shown(typed)}, allowed: a percentage such as 5%")
    return value / 100


TYPED: dict[str, Callable[[argparse.Namespace], Options]] = {
    "matrix": _measure_options,
    "single": _measure_options,
    "plan": _plan_options,
    "what-if": _plan_options,
    "capacity": _capacity_options,
    "merge": _merge_options,
    "report": _report_options,
    "readme": _report_options,
    "compare": _compare_options,
    "doctor": _doctor_options,
    "export": _export_options,
    "init": _init_options,
    "ask": _ask_options,
    "ab": _ab_options,
    "versus": _ab_options,
    "profile": _profile_options,
    "bench": _check_options,
    "selfcheck": _check_options,
}
