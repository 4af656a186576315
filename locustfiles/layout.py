"""The binary form of the request records; the harness reads them with the same constants.

One record a request, of unsigned 64-bit words in native order. Times are
CLOCK_MONOTONIC nanoseconds.
"""

from __future__ import annotations

RECORD_WORDS = 3
RECORD_BYTES = RECORD_WORDS * 8
OPEN_WORDS = 4  # of an open load
R_START_NS = 0  # in an open load: when it was due
R_END_NS = 1  # for an unfinished request: when it was cut off
R_PACKED = 2  # outcome | user << 16 | kind of request << 48
R_SENT_NS = 3  # in an open load: when it was sent; 0: it never was
OUTCOME_MASK = 0xFFFF
USER_SHIFT = 16
MOST_USERS = 0xFFFF_FFFF  # numbers, of 32 bits
KIND_SHIFT = 48
LOGIN = 0xFFFF  # the kind of a user's login

# What the harness says, a byte each.
SAY_BEGIN = b"1"  # the server has been verified
SAY_COUNTED = b"c"  # the window is set: no more counts are needed
SAY_STOP = b"s"

OVERLOADED = "overloaded"  # an open load had as many in flight as it may have,
FALLS_BEHIND = "falling behind"  # and completions came more slowly than arrivals

LONGEST_RAMP_S = 5.0  # of a ramp that follows its cell

SUCCEEDED = 0
UNFINISHED = 1
FIRST_FAILURE = 2  # failures are numbered by kind from here on, named in generator.json

# The names of kinds of failure that mean something to the harness.
WRONG_BODY = "wrong body"  # another than the verifying request's
_REDIRECT = " (redirect)"


def redirect(status: int) -> str:
    """The name of an answer that sends elsewhere."""
    return f"HTTP {status}{_REDIRECT}"


def is_redirect(kind: str) -> bool:
    """Whether a kind of failure is one of those."""
    return kind.endswith(_REDIRECT)
