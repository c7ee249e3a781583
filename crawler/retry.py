"""What becomes of a request after an attempt: done, tried again later, or given up for this run. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from archive.model import Exchange
from archive.rows import Finished

MOST_ATTEMPTS = 3
FIRST_WAIT_SECONDS = 5.0
WAIT_FACTOR = 4.0
# A server may ask for more patience than a run has: then it is left to the next one.
LONGEST_WAIT_SECONDS = 600.0

# The server is in trouble or wants less of us; 408 and 522 to 524 are time-outs of it or of its CDN.
PASSING = frozenset({408, 429, 500, 502, 503, 504, 520, 522, 523, 524})
ASKS_FOR_REST = frozenset({429, 503})
# A page, or where it is. 202 and 204 bring none, 206 a part that nobody asked for, 300 a choice.
ANSWERS = frozenset({200, 203, 301, 302, 303, 304, 307, 308})
# Seen on these sites for what is not there any more, 550 included: an answer, not a failure.
GONE = frozenset({404, 410, 550})
# What the wire refuses itself: asking again would change nothing.
REFUSALS = frozenset({"private_address", "forbidden_host", "forbidden_port", "unsendable_request"})

# Nobody answered for robots.txt, several times over, so that the request itself was not made.
ROBOTS_UNREACHABLE = "robots_unreachable"


@dataclass(frozen=True, slots=True)
class Ending:
    """The state of the frontier row; with `pending`, not before `not_before`. `problem` says why it was given up.

    `host_wait_seconds` is how long the whole host is to be left alone; beyond LONGEST_WAIT_SECONDS, for this run.
    """

    state: Finished
    not_before: datetime | None = None
    problem: str | None = None
    host_wait_seconds: float = 0.0


def after_exchange(exchange: Exchange, *, attempts: int, now: datetime) -> Ending:
    """`attempts` counts this exchange too."""
    problem = _problem(exchange)
    if problem is None:
        return Ending("acknowledged")
    if (exchange.error or "").partition(":")[0] in (*REFUSALS, ROBOTS_UNREACHABLE) or not _passes(exchange):
        return Ending("failed", problem=problem)
    host_wait = _host_wait(exchange, attempts, now)
    if attempts >= MOST_ATTEMPTS:
        return Ending("failed", problem=f"{problem}, {attempts} times", host_wait_seconds=host_wait)
    not_before = now + timedelta(seconds=_wait(exchange, attempts, now))
    return Ending("pending", not_before=not_before, host_wait_seconds=host_wait)


def _problem(exchange: Exchange) -> str | None:
    if exchange.error is not None:
        return exchange.error
    if exchange.truncated is not None:
        return f"the answer ends early ({exchange.truncated})"
    if exchange.status is None:
        return "no answer that could be read"
    if exchange.status in ANSWERS or exchange.status in GONE:
        return None
    return f"status {exchange.status}"


def _passes(exchange: Exchange) -> bool:
    if exchange.error is not None or exchange.truncated is not None or exchange.status is None:
        return exchange.truncated != "length"
    return exchange.status in PASSING


def _host_wait(exchange: Exchange, attempts: int, now: datetime) -> float:
    """A server that does not answer, or says that it is asked too much, is left alone as a whole."""
    if exchange.status in ASKS_FOR_REST:
        return max(_wait(exchange, attempts, now), _retry_after(exchange, now))
    return _wait(exchange, attempts, now) if exchange.status is None else 0.0


def _wait(exchange: Exchange, attempts: int, now: datetime) -> float:
    asked = _retry_after(exchange, now)
    own = FIRST_WAIT_SECONDS * WAIT_FACTOR ** (attempts - 1)
    return min(LONGEST_WAIT_SECONDS, max(own, asked))


def _retry_after(exchange: Exchange, now: datetime) -> float:
    """Seconds that the server asks us to wait; 0 when it does not."""
    value = next((value for name, value in exchange.headers if name.lower() == b"retry-after"), b"").strip()
    if value.isdigit():
        return float(value[:6])
    try:
        at = parsedate_to_datetime(value.decode("ascii"))
    except ValueError:
        return 0.0
    if at.tzinfo is None:
        return 0.0
    return max(0.0, (at - now).total_seconds())
