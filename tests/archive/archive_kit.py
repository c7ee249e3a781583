"""A small invented site, its exchanges, and a data directory to record them in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.files import Files
from archive.frontier import Frontier
from archive.http1 import split_head
from archive.model import Discovery, Exchange, Finding, Listing, Target
from archive.rebuild import Rebuilt, rebuilding
from archive.recorder import Recorder
from archive.rows import RunRow, SiteRow
from archive.store import Store
from archive.times import instant

SITE = SiteRow("demo_qinghe", "清河区人民政府", "000101", "demo", 'agency = "清河区人民政府"\n')
HOST = "www.qinghe.example"
LIST_URL = f"http://{HOST}/list.html"


class FixedClock:
    """Every call is a millisecond later."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 17, 30, tzinfo=UTC)) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment


def page_url(number: int) -> str:
    return f"http://{HOST}/art/{number}.html"


def list_target() -> Target:
    return Target(LIST_URL, "list", SITE.name, "annual_report")


def page_target(number: int) -> Target:
    return Target(page_url(number), "page", SITE.name, "annual_report", via=LIST_URL, anchor=f"第{number}号")


def list_body(numbers: range) -> bytes:
    return json.dumps(list(numbers)).encode()


def page_body(number: int, edition: int = 1) -> bytes:
    return f"<html><title>第{number}号</title>第{edition}版：本机关{number}件</html>".encode() * 20


def http_response(
    body: bytes, *, status: str = "200 OK", headers: tuple[bytes, ...] = (), chunked: bool = False, coding: str = ""
) -> bytes:
    if coding == "gzip":
        body = gzip.compress(body, mtime=0)
        headers = (*headers, b"Content-Encoding: gzip")
    if chunked:
        headers = (*headers, b"Transfer-Encoding: chunked")
        middle = len(body) // 2
        pieces = [body[:middle], body[middle:]]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"
    else:
        headers = (*headers, b"Content-Length: %d" % len(body))
    return b"\r\n".join((b"HTTP/1.1 " + status.encode(), b"Content-Type: text/html", *headers)) + b"\r\n\r\n" + body


def exchange(target: Target, response: bytes, clock: FixedClock, **fields: object) -> Exchange:
    head = split_head(response) if response else None
    request = f"{target.method} {target.url} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    return Exchange(
        url=target.url,
        method=target.method,
        started_at=clock(),
        elapsed_ms=12.5,
        request=request,
        response=response,
        status=head.status if head else None,
        headers=head.headers if head else (),
        peer="192.0.2.7",
        **fields,  # type: ignore[arg-type]
    )


def discover(target: Target, _: Exchange, entity: bytes) -> Discovery:
    """The demo platform: a list is a JSON array of page numbers."""
    if target.role != "list" or not entity.startswith(b"["):
        return Discovery()
    numbers = json.loads(entity)
    return Discovery(
        listings=tuple(
            Listing(page_url(n), f"第{n}号", "2026-02-01", target.channel, target.site, place)
            for place, n in enumerate(numbers, 1)
        ),
        targets=tuple(page_target(n) for n in numbers),
        findings=(Finding("info", "demo_listed", f"{len(numbers)} entries", target.url),),
        declared_total=len(numbers),
    )


@dataclass
class World:
    """The server: what each URL answers."""

    answers: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def with_pages(cls, count: int) -> World:
        world = cls({LIST_URL: http_response(list_body(range(count)))})
        for number in range(count):
            world.answers[page_url(number)] = http_response(page_body(number), coding="gzip")
        return world

    def answer(self, target: Target, clock: FixedClock) -> Exchange:
        return exchange(target, self.answers[target.url], clock)


@contextmanager
def recording(
    data_dir: Path, run_id: str, clock: FixedClock, *, files: Files | None = None, max_warc_bytes: int = 10**9
) -> Iterator[tuple[Store, Frontier, Recorder]]:
    """A started run; the store is closed at the end, the recorder is the caller's to close."""
    with Store.open(data_dir, clock=clock) as store:
        store.start_run(RunRow(run_id, "crawl", instant(clock()), "0.1.0", "testhost"))
        frontier = Frontier(store, run_id, clock=clock)
        recorder = Recorder(
            data_dir,
            run_id,
            store=store,
            frontier=frontier,
            discover=discover,
            sites=[SITE],
            clock=clock,
            files=files,
            max_warc_bytes=max_warc_bytes,
        )
        yield store, frontier, recorder


def crawl(frontier: Frontier, recorder: Recorder, world: World, clock: FixedClock) -> None:
    """Fetches all there is, one after the other."""
    frontier.add([list_target()])
    while leased := frontier.lease(8):
        for row in leased:
            recorder.record_now(row.target, row.frontier_id, world.answer(row.target, clock))


def rebuild(data_dir: Path, clock: FixedClock) -> Rebuilt:
    """The database made again, with nothing read out of it."""
    with rebuilding(data_dir, discover=discover, clock=clock) as rebuilt:
        return rebuilt


def public_rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """What a rebuild must bring back: the crawl's tables, the frontier by its natural key."""
    queries = {
        "runs": "SELECT * FROM runs ORDER BY run_id",
        "sites": "SELECT * FROM sites ORDER BY name",
        "captures": "SELECT * FROM captures ORDER BY capture_id",
        "listings": "SELECT * FROM listings ORDER BY site, channel, url",
        "changes": "SELECT * FROM changes ORDER BY change_id",
        "declared_totals": "SELECT * FROM declared_totals",
        "findings": "SELECT run_id, level, code, url, capture_id, message FROM findings ORDER BY code, url, message",
        "warc_files": "SELECT file_name, run_id, state, bytes, records, sha256 FROM warc_files ORDER BY warc_id",
        "frontier": """SELECT u.url, role, site, channel, method, via, anchor, depth, parameters, priority, state,
            attempts, run_id FROM frontier f JOIN urls u ON u.url_id = f.url_id ORDER BY key""",
    }
    return {name: store.connection.execute(query).fetchall() for name, query in queries.items()}
