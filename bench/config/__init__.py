"""experiments.yaml: read, checked, changed by options."""

from bench.config.durations import format_duration, parse_duration
from bench.config.overrides import Overrides, apply, parse_overrides
from bench.config.reader import load_config
from bench.config.schema import json_schema
from bench.config.settings import Axes, Config, Entry, Known, Profile

__all__ = [
    "Axes",
    "Config",
    "Entry",
    "Known",
    "Overrides",
    "Profile",
    "apply",
    "format_duration",
    "json_schema",
    "load_config",
    "parse_duration",
    "parse_overrides",
]
