"""The command line: ``nox -s SESSION -- OPTIONS`` hands its options on as they are."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bench.errors import BadInputError
from bench.export.benchmark_action import METRICS
from bench.export.formats import FORMATS
from bench.paths import ROOT
from bench.text import shown
from bench.typed_options import TYPED

if TYPE_CHECKING:
    from bench.typed_options import Options

REPORTS = ROOT / "reports"
LONGEST = 4096  # of one argument: as long as a path may be


class _Parser(argparse.ArgumentParser):
    """Complains as everything here does: one message, exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(
            f"{self.prog}: {shown(message, 500)}; `{self.prog} --help` lists the options"
        )


# Commands that take names of experiments or cells.
HERE = ("ab", "versus", "profile", "what-if")  # their load can't come from other machines
NAMING = {"single", "profile", "what-if", "capacity"}


def parse(arguments: list[str]) -> tuple[str, Options]:
    """The command and its options; None for a command that has none.

    Raises:
        BadInputError: an unknown command or option, or a missing value.
    """
    for argument in arguments:
        if "\0" in argument:  # no shell can pass one on, and no path may have one
            raise BadInputError(f"found {shown(argument)}, allowed: text without NUL")
        if argument.endswith("=--"):  # argparse before Python 3.13 takes the value away
            raise BadInputError(f"found {shown(argument)}, allowed: another value than --")
        if len(argument) > LONGEST:
            found = f"found {shown(argument, 300)}, {len(argument)} characters"
            raise BadInputError(f"{found}, allowed: at most {LONGEST}")
    chosen = command_line().parse_args(arguments)
    typed = TYPED.get(chosen.command)
    return chosen.command, None if typed is None else typed(chosen)


def command_line() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = _Parser(prog="bench", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for name, help_ in (
        ("matrix", "measure all cells"),
        ("single", "measure one experiment"),
        ("profile", "one more trial, with a profiler: which function took the time"),
        ("what-if", "what would help a cell, measured beside it"),
        ("capacity", "the highest rate at which a cell keeps what is asked of it"),
        ("plan", "show cells, order and time"),
    ):
        command = _command(commands, name, help_)
        if name in NAMING:
            command.add_argument(
                "names", nargs="+", metavar="NAME", help="an experiment, a cell id or a glob"
            )
        _planning(command)
        if name == "profile":
            _output(command)
        elif name == "capacity":
            _objectives(command)
        elif name not in {"plan", "what-if"}:
            _running(command)
        if name in {"matrix", "plan"}:
            command.add_argument("--shard", metavar="N/M", help="the N-th of M parts, each for a"
                                 " machine of its own; `merge` makes one run of them")  # fmt: skip
    merge = _command(commands, "merge", "make one run of the parts of a matrix")
    merge.add_argument("runs", nargs="+", metavar="RUN", help="a part's id or folder")
    _output(merge)
    _reporting(_command(commands, "report", "render all reports from recorded results"))
    readme = _command(commands, "readme", "put the tables into README.md")
    _reporting(readme)
    readme.add_argument(
        "--check",
        action="store_true",
        help="change nothing; exit status 1 when the tables are stale",
    )
    _judging(commands)
    doctor = _command(commands, "doctor", "say whether this machine is fit to measure")
    _output(doctor)
    doctor.add_argument(
        "--config", type=Path, metavar="FILE", help="what is to be measured (experiments.yaml)"
    )
    doctor.add_argument(
        "--fix", action="store_true", help="also print the commands that would help; run none"
    )
    _elsewhere(doctor)
    _exporting(_command(commands, "export", "give a run to another tool"))
    for name, help_ in (
        ("bench", "what the harness costs"),
        ("selfcheck", "how true the figures are, and what the harness survives"),
    ):
        command = _command(commands, name, help_)
        command.add_argument(
            "--quick", action="store_true", help="smallest sizes: shows that it runs, no more"
        )
        command.add_argument("names", nargs="*", metavar="NAME", help="only these")
    init = _command(commands, "init", "write a first file for an application of your own")
    init.add_argument("project", type=Path, metavar="PATH", help="the project's folder")
    init.add_argument("--app", metavar="MODULE:NAME", help="the application, if it isn't found")
    ab = _command(commands, "ab", "two revisions of an application, side by side")
    ab.add_argument("sides", nargs="+", metavar="REV", help="git revisions, as in main HEAD; the"
                    " first is what the second is held against")  # fmt: skip
    ab.add_argument("--worktree", action="store_true", help="the second side is what isn't"
                    " committed")  # fmt: skip
    _comparing(ab)
    versus = _command(commands, "versus", "cells against cells, side by side")
    versus.add_argument("sides", nargs=2, metavar="SIDE", help="a cell, an experiment, or"
                        " levels as in server=uvicorn; the first is what the second is held"
                        " against")  # fmt: skip
    _comparing(versus)
    _asking(commands)
    _command(commands, "schema", "renew experiments.schema.json and bench.schema.json")
    return parser


def _judging(commands: argparse._SubParsersAction[_Parser]) -> None:
    compare = _command(commands, "compare", "judge one run, or a part of one, against another")
    _output(compare)
    add = compare.add_argument
    sides = "a run id, `latest` or a path; a part of it as in latest:server=gunicorn"
    add("a", metavar="RUN_A", help=sides)
    add("b", metavar="RUN_B", help=sides)
    add("--threshold", default="5%", metavar="N%", help="smaller effects are called none (5%%)")
    add("--anyway", action="store_true", help="judge even if hosts, versions or profiles differ")
    add("--fail-on", choices=("regression",), help="exit status 1 if any cell is worse in RUN_B")
    add("--json", type=Path, metavar="FILE", help="also write the comparison as JSON")
    add("--html", type=Path, metavar="FILE", help="also write it as a page")
    add("--effects", action="store_true", help="compare what each run says within itself, such as"
        " `async def` against `def`: machines may differ")  # fmt: skip
    add("--summary", type=Path, metavar="FILE", help="with --effects: also append it as Markdown")


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, help_: str
) -> argparse.ArgumentParser:
    # People type the nox session, so that is what messages name.
    return commands.add_parser(
        name, help=help_, description=help_, allow_abbrev=False, prog=f"nox -s {name} --"
    )


def _asking(commands: argparse._SubParsersAction[_Parser]) -> None:
    ask = _command(commands, "ask", "answer a question that people ask, by measuring")
    ask.add_argument("names", nargs="*", metavar="NAME", help="questions; none lists them")
    ask.add_argument("--all", action="store_true", help="every question")
    ask.add_argument("--write", action="store_true", help="also renew docs/answers.md")
    ask.add_argument(
        "--check", action="store_true", help="measure nothing; exit status 1 when that is stale"
    )
    ask.add_argument("--budget", metavar="TIME", help="how long each may take (280s)")
    ask.add_argument("--seed", metavar="N", help="of the order of its trials")
    ask.add_argument("--quiet", action="store_true", help="show only the answers, and problems")
    _output(ask)


def _objectives(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--slo", action="append", default=[], metavar="BOUND", help="what is asked, as in"
        " 'p99<250ms' or 'errors<0.1%%'; may be repeated")  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="also write what was found as JSON")


def _planning(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--config",
        type=Path,
        default=ROOT / "experiments.yaml",
        metavar="FILE",
        help="the matrix and its profiles (experiments.yaml)",
    )
    add("--profile", metavar="NAME", help="load settings; the file names the default")
    add(
        "--select",
        action="append",
        default=[],
        metavar="GLOB",
        help="only cells whose id matches; may be repeated",
    )
    add("--server", action="append", default=[], metavar="NAME", help="in place of the file's")
    add("--workers", action="append", default=[], metavar="N", help="in place of the file's")
    add("--python", action="append", default=[], metavar="X.Y", help="in place of the file's")
    add("--loop", action="append", default=[], metavar="NAME", help="uvloop or asyncio; in place of"
        " the file's")  # fmt: skip
    add("--threads", action="append", default=[], metavar="N", help="threads of each worker's pool,"
        " in place of the file's")  # fmt: skip
    add("--users", metavar="N", help="in place of the profile's")
    add("--ladder", action="append", default=[], metavar="N,N", help="each cell with so many users,"
        " one after another, as in 1,10,100")  # fmt: skip
    add("--rate", metavar="N", help="requests/s of an open load, which come whether or not others"
        " are answered, in place of users")  # fmt: skip
    add("--in-flight", metavar="N", help="how many requests of an open load may be in flight at"
        " once (1000); with more it is overloaded")  # fmt: skip
    add("--delay", metavar="TIME", help="in place of the profile's, as in 200ms")
    add("--budget", metavar="TIME", help="how long the run may take, as in 12m; `single` takes"
        " 45s a cell without it")  # fmt: skip
    add("--precision", metavar="N%", help="how well each throughput is to be known, as in 10%%")
    add("--rounds", metavar="N", help="in place of a budget: each cell so many times")
    add("--warmup", metavar="TIME", help="fixed, as in 3s, in place of as long as the cell needs")
    add("--duration", metavar="TIME", help="fixed window, as in 6s, in place of as long as the"
        " cell needs")  # fmt: skip
    add("--longest", metavar="TIME", help="the longest that such a warm-up or window may get")
    add("--generators", metavar="N", help="processes of the load generator; auto (default): one,"
        " and more for a cell that it can't load, where there are cores")  # fmt: skip
    _elsewhere(command)
    add("--seed", metavar="N", help="of the order within a round")
    add("--pass-env", action="append", default=[], metavar="NAME", help="an environment variable"
        " that ${NAME} in an own application's file may stand for; may be repeated")  # fmt: skip


def _elsewhere(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--generator", action="append", default=[], metavar="HOST*N", help="a load machine as ssh"
        " takes it, with N processes of the load generator (1); may be repeated, needs"
        " --listen")  # fmt: skip
    add("--listen", metavar="ADDRESS", help="where the servers under test listen, in place of"
        " 127.0.0.1: an address of this machine that load machines reach")  # fmt: skip


def _running(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    _output(command)
    either = command.add_mutually_exclusive_group()
    either.add_argument(
        "--fresh",
        action="store_true",
        help="start anew, even if a run of the same plan is unfinished",
    )
    either.add_argument(
        "--resume",
        action="store_true",
        help="resume the unfinished run although cells, environments, sources or machine"
        " have changed; its reports say so",
    )
    add("--quiet", action="store_true", help="show nothing but problems and the end")
    add(
        "--raw",
        choices=("keep", "drop"),
        default="keep",
        help="keep each trial's raw files, compressed (default), or drop them",
    )
    add(
        "--probe",
        choices=("on", "off"),
        default="on",
        help="off: measure without the probe; then nothing explains the numbers",
    )
    add(
        "--pin",
        default="auto",
        metavar="CPUS",
        help="auto (default): on 4 or more cores server, load generator and delay server get"
        " cores of their own; off; or explicitly, as in server=0-5,generator=6,delay=7",
    )


def _comparing(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    _planning(command)
    _output(command)
    add("--threshold", default="5%", metavar="N%", help="effects that matter (5%%): smaller ones"
        " are called the same, and intervals are taken to half of it")  # fmt: skip
    add("--fail-on", choices=("regression",), help="exit status 1 if any cell is slower")
    add("--summary", type=Path, metavar="FILE", help="also append the table as Markdown")
    add("--quiet", action="store_true", help="show nothing but problems and the end")


def _reporting(command: argparse.ArgumentParser) -> None:
    _output(command)
    command.add_argument(
        "--run",
        metavar="ID",
        help="a run's id or folder; the published one (reports/latest.*) by default",
    )
    command.add_argument(
        "--summary", type=Path, metavar="FILE", help="also append one screen of it to this file"
    )


def _exporting(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("format", choices=FORMATS, help="docs/export.md says what each is for")
    add(
        "--run",
        metavar="ID",
        help="a run's id or folder; the published one (reports/latest.*) by default",
    )
    add("--output", type=Path, metavar="FILE", help="in place of standard output")
    add("--metric", choices=METRICS, help="of benchmark-action (throughput_rps)")


def _output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output",
        type=Path,
        default=REPORTS,
        metavar="DIR",
        help="where runs and reports are kept (reports; of an own application beside its file)",
    )
