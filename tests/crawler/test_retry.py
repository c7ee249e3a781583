"""What becomes of a request after an attempt."""

from datetime import UTC, datetime

import pytest

from archive.model import Exchange
from crawler.retry import MOST_ATTEMPTS, after_exchange

NOW = datetime(2022, 1, 6, 12, 0, 0, tzinfo=UTC)


def exchange(status: int | None = 200, *headers: tuple[bytes, bytes], **changes) -> Exchange:
    return Exchange(
        url="", method="GET", started_at=NOW, elapsed_ms=1.0, request=b"", response=b"", status=status,
        headers=headers, **changes,
    )  # fmt: skip


@pytest.mark.parametrize("status", [200, 203, 302, 304, 404, 410, 550])
def test_an_answer_is_done(status: int):
    assert after_exchange(exchange(status), attempts=1, now=NOW).state == "acknowledged"


@pytest.mark.parametrize("status", [202, 204, 206, 300, 400, 403, 412, 521])
def test_a_refusal_is_given_up_at_once(status: int):
    ending = after_exchange(exchange(status), attempts=1, now=NOW)
    assert (ending.state, ending.problem) == ("failed", f"status {status}")


@pytest.mark.parametrize(
    "failure",
    [
        exchange(500),
        exchange(503),
        exchange(429),
        exchange(None, error="connection_refused: 127.0.0.1:80"),
        exchange(None, error="timeout"),
        exchange(200, truncated="disconnect"),
        exchange(None),
    ],
)
def test_a_passing_trouble_is_tried_again_and_given_up_in_the_end(failure: Exchange):
    waits = [after_exchange(failure, attempts=n, now=NOW) for n in range(1, MOST_ATTEMPTS)]
    assert [(ending.state, (ending.not_before - NOW).total_seconds()) for ending in waits] == [
        ("pending", 5.0),
        ("pending", 20.0),
    ]
    last = after_exchange(failure, attempts=MOST_ATTEMPTS, now=NOW)
    assert last.state == "failed"
    assert last.problem.endswith(", 3 times")


@pytest.mark.parametrize("error", ["private_address: 10.0.0.1", "forbidden_host: x", "forbidden_port: 22"])
def test_what_we_refuse_ourselves_is_not_tried_again(error: str):
    assert after_exchange(exchange(None, error=error), attempts=1, now=NOW).state == "failed"


def test_too_large_is_not_tried_again():
    assert after_exchange(exchange(200, error="oversize", truncated="length"), attempts=1, now=NOW).state == "failed"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b"1", 5.0),
        (b"99999999999", 600.0),
        (b"Thu, 06 Jan 2022 12:01:30 GMT", 90.0),
        (b"Thu, 06 Jan 2022 11:00:00 GMT", 5.0),
        (b"soon", 5.0),
        (b"\xc3\xa4", 5.0),
    ],
)
def test_retry_after_is_kept(value: bytes, seconds: float):
    ending = after_exchange(exchange(503, (b"Retry-After", value)), attempts=1, now=NOW)
    assert (ending.not_before - NOW).total_seconds() == seconds
