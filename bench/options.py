"""The command line: ``nox -s SESSION -- OPTIONS`` hands its options on as they are."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from bench.config import Overrides, parse_overrides
from bench.config.findings import shown
from bench.problem import BadInput
from bench.run.paths import ROOT


class _Parser(argparse.ArgumentParser):
    """Complains as everything here does: one message, exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(
            f"{self.prog}: {shown(message, 500)}; `{self.prog} --help` lists the options"
        )


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command with its options.

    Raises:
        BadInput: an unknown command or option, or a missing value.
    """
    for argument in arguments:
        if "\0" in argument:  # no shell can pass one on, and no path may have one
            raise BadInput(f"found {shown(argument)}, allowed: text without NUL")
    parser = _Parser(prog="bench", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for name, help_ in (
        ("matrix", "measure all cells"),
        ("single", "measure one experiment"),
        ("plan", "show cells, order and time"),
    ):
        command = _command(commands, name, help_)
        if name == "single":
            command.add_argument(
                "names", nargs="+", metavar="NAME", help="an experiment, a cell id or a glob"
            )
        _planning(command)
        if name != "plan":
            _running(command)
    _reporting(_command(commands, "report", "render all reports from recorded results"))
    readme = _command(commands, "readme", "put the tables into README.md")
    _reporting(readme)
    readme.add_argument(
        "--check",
        action="store_true",
        help="change nothing; exit status 1 when the tables are stale",
    )
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
    _command(commands, "doctor", "say whether this machine is fit to measure")
    for name, help_ in (
        ("bench", "the benchmarks of the harness itself"),
        ("torture", "kill a matrix again and again, run hundreds of trials"),
    ):
        command = _command(commands, name, help_)
        command.add_argument("names", nargs="*", metavar="NAME", help="only these")
    _command(commands, "schema", "renew experiments.schema.json")
    return parser.parse_args(arguments)


def overrides(options: argparse.Namespace) -> Overrides:
    """What the options change of the configuration.

    Raises:
        BadInput: a value can't be read.
    """
    return parse_overrides(
        profile=options.profile,
        server=options.server,
        workers=options.workers,
        python=options.python,
        users=options.users,
        warmup=options.warmup,
        duration=options.duration,
        rounds=options.rounds,
        seed=options.seed,
        select=options.select,
    )


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, help_: str
) -> argparse.ArgumentParser:
    # People type the nox session, so that is what messages name.
    return commands.add_parser(
        name, help=help_, description=help_, allow_abbrev=False, prog=f"nox -s {name} --"
    )


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
    add("--users", metavar="N", help="in place of the profile's")
    add("--warmup", metavar="TIME", help="in place of the profile's, as in 3s")
    add("--duration", metavar="TIME", help="in place of the profile's, as in 6s")
    add("--rounds", metavar="N", help="in place of the profile's")
    add("--seed", metavar="N", help="of the order within a round")


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
        help="go on with the unfinished run although cells, environments, sources or machine"
        " have changed; its reports say so",
    )
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


def _reporting(command: argparse.ArgumentParser) -> None:
    _output(command)
    command.add_argument(
        "--run",
        metavar="ID",
        help="a run's id or folder; the published one (reports/latest.*) by default",
    )
    command.add_argument(
        "--summary", type=Path, metavar="FILE", help="also append the report to this file"
    )


def _output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output",
        type=Path,
        default=ROOT / "reports",
        metavar="DIR",
        help="where runs and reports are kept (reports)",
    )
