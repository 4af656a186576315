"""Why a verdict is what it is, as data: a kind and its figures. Sentences are made where shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What can be said of a trial; ``bench.report.reasons`` has the sentence of each."""

    # not measured, or nothing succeeded
    NOT_MEASURED = auto()
    ALL_FAILED = auto()
    # invalid: its numbers must not be printed
    GENERATOR_BOUND = auto()
    GENERATOR_STARVED = auto()
    GENERATOR_WAITED = auto()
    GENERATORS_BOUND = auto()
    WORKERS_CHANGED = auto()
    REDIRECTS = auto()
    DELAY_SERVER_ENDED = auto()
    DELAY_SERVER_LATE = auto()
    REQUESTS_NOT_RECORDED = auto()
    MASTER_DISAGREES = auto()
    CLOCKS_APART = auto()
    CLOCK_RATE = auto()
    ARRIVALS_LATE = auto()
    ARRIVALS_BEHIND = auto()
    APPLICATION_DISAGREES = auto()
    FEWER_CALLS_ENDED = auto()
    MORE_CALLS_BEGUN = auto()
    THREAD_LOG_MISSING = auto()
    THREAD_LOG_FULL = auto()
    DELAY_SERVER_SILENT = auto()
    DELAY_SERVER_ASKED_MORE = auto()
    DELAY_SERVER_GAVE_LESS = auto()
    # how well the throughput is known
    TWO_REGIMES = auto()
    FALLS_APART = auto()
    ODD_TRIAL = auto()
    ONE_TRIAL = auto()
    NOTHING_COMPLETED = auto()
    IMPRECISE = auto()
    SWINGS = auto()
    SWUNG = auto()
    # doubts: the numbers are printed, with the reason beside them
    UNKNOWN_SIGNALS = auto()
    FEW_COMPLETIONS = auto()
    FEW_ROUNDS = auto()
    WRONG_BODIES = auto()
    LEAK = auto()
    # remarks on other figures
    LITTLE_DISAGREES = auto()
    OLDER_THAN_WINDOW = auto()
    UNEVEN_CPU = auto()
    NO_NODELAY = auto()
    PLACES_WRONG = auto()
    MACHINE_SPEED = auto()
    # disturbances: the trial is set aside for another one
    GENERATOR_LATE = auto()
    QUOTA = auto()
    HEAT = auto()
    STEAL = auto()
    FOREIGN = auto()
    STEAL_AT_SERVER = auto()
    FOREIGN_AT_SERVER = auto()


@dataclass(frozen=True, slots=True)
class Reason:
    """One of them, of one trial.

    ``figures`` may differ between repeats and are then told as a range; ``words`` (names, process
    ids, texts from outside) may not: reasons with other words are told apart.
    """

    kind: Kind
    figures: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
