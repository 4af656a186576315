"""Load machines, as they are asked for: ``user@load1``, ``load2*4``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated

from pydantic import Field

MOST_PROCESSES = 256
ALLOWED = "a machine as ssh takes it, and how many processes: load1, user@load2*4"
# What ssh takes for a host: a name of its config, a host name, an address; no option.
TEXT = r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9._:-]*[A-Za-z0-9])?(?:\*[1-9][0-9]{0,2})?"
_MACHINE = re.compile(TEXT)


@dataclass(frozen=True, slots=True)
class Machine:
    """One, with how many processes of the load generator it gets.

    What it is called is not recorded: records are published.
    """

    processes: int = 1
    host: Annotated[str, Field(exclude=True)] = field(default="", compare=False)


def parse(text: str) -> Machine:
    """From its text.

    Raises:
        ValueError: it is none; the text says what is allowed.
    """
    host, _, count = text.partition("*")
    if not _MACHINE.fullmatch(text) or int(count or 1) > MOST_PROCESSES:
        raise ValueError(ALLOWED)
    return Machine(int(count or 1), host)


def address(text: str) -> str:
    """Of this machine, where the servers under test are to listen.

    Raises:
        ValueError: it is no IPv4 address, or stands for all of them.
    """
    try:
        found = IPv4Address(text)
    except AddressValueError:
        raise ValueError("an IPv4 address of this machine, as in 10.0.0.1") from None
    if found.is_unspecified or found.is_multicast:
        raise ValueError("one address of this machine, not all of them")
    return str(found)
