"""What tests without a network share: a run on an empty data directory into which responses are put by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from archive.http1 import split_head
from archive.model import Exchange, Target
from archive.recorder import Recorded
from crawler.session import Options, Session
from crawler.site import Site, parse_site

SITE_TEXT = """
agency = "某市某区人民政府"
division_code = "230199"
[channels]
reports = "http://d.example.cn/col/col33/index.html"
"""
SITE: Site = parse_site(SITE_TEXT, name="d", source="d.toml")
LIST = Target(url="http://d.example.cn/col/col33/index.html", role="list", site="d", channel="reports")


@contextmanager
def session(data_dir: Path, options: Options | None = None, site: Site = SITE) -> Iterator[Session]:
    with Session(data_dir, [site], options or Options()) as opened:
        yield opened


def response(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def exchange(target: Target, raw: bytes, **changes: object) -> Exchange:
    head = split_head(raw) if raw else None
    return Exchange(
        url=target.url, method=target.method, started_at=datetime(2022, 1, 6, tzinfo=UTC), elapsed_ms=1.0,
        request=b"GET / HTTP/1.1\r\n\r\n", response=raw, status=head.status if head else None,
        headers=head.headers if head else (), **changes,
    )  # fmt: skip


def put(opened: Session, target: Target, raw: bytes) -> Recorded:
    return opened.recorder.record_now(target, None, exchange(target, raw))
