"""experiments.yaml: read, checked, changed by options."""

from bench.config.durations import format_duration, format_percentage, parse_duration
from bench.config.machines import Machine
from bench.config.overrides import Overrides, apply, machines_of, parse_overrides
from bench.config.reader import load_config
from bench.config.schema import json_schema, target_schema
from bench.config.settings import Axes, Config, Entry, Known, Profile, fixed, load_takes_s, ramp_s

__all__ = [
    "Axes",
    "Config",
    "Entry",
    "Known",
    "Machine",
    "Overrides",
    "Profile",
    "apply",
    "fixed",
    "format_duration",
    "format_percentage",
    "json_schema",
    "load_config",
    "load_takes_s",
    "machines_of",
    "parse_duration",
    "parse_overrides",
    "ramp_s",
    "target_schema",
]
