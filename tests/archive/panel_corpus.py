"""Reports of a few invented bodies over years, recorded as pages of one site and read as a crawl reads them.

`series` draws years whose numbers follow from each other, so that every difference in a test is one that it made.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

from archive.frontier import Frontier
from archive.http1 import split_head
from archive.model import Discovery, Exchange, Target
from archive.recorder import Recorder
from archive.rows import RunRow, SiteRow
from archive.store import Store
from archive.times import instant
from crawler.codebook import publish_codebook
from crawler.replica.reports import Number, ReportSpec, dice, draw_report, follow, lay_out
from crawler.replica.writers import html

SITE_TOML = """
agency = "青禾区人民政府"
division_code = "990103"
[channels]
annual_report = "http://www.qinghe.example/list.html"
"""
SITE = SiteRow("qinghe", "青禾区人民政府", "990103", "auto", SITE_TOML)
HOST = "www.qinghe.example"


def url_of(agency: str, year: int, copy: int = 0) -> str:
    number = crc32(agency.encode()) * 10 + copy
    return f"http://{HOST}/art/{year}/{number}.html"


def series(agency: str, years: Iterable[int], seed: int = 0) -> dict[int, ReportSpec]:
    """Reports in which what is carried over and what is in force follow from year to year, and the text says the same
    as the tables.
    """
    found: dict[int, ReportSpec] = {}
    before: ReportSpec | None = None
    for year in years:
        spec = follow(draw_report(seed, agency=agency, year=year), before)
        values = dict(spec.values)
        if spec.form == "2021":
            _in_force(values, before.values if before else {}, dice(seed, agency, year))
        sentence = _sentences(values, year, spec.form)
        found[year] = before = replace(spec, values=values, overview=(*spec.overview, sentence))
    return found


def with_values(spec: ReportSpec, **changes: Number | None) -> ReportSpec:
    """The report with other numbers printed; `__` stands for the dot of a cell."""
    return replace(spec, values={**spec.values, **{key.replace("__", "."): value for key, value in changes.items()}})


def publish(data_dir: Path, pages: Iterable[tuple[str, bytes]], *, run: int = 1) -> None:
    """Records pages as one run; nothing is read yet."""
    moment = datetime(2026, 3, run, 17, 30, tzinfo=UTC)

    def clock() -> datetime:
        nonlocal moment
        moment += timedelta(milliseconds=1)
        return moment

    run_id = f"2026030{run}T173000Z-00000{run}"
    with Store.open(data_dir, clock=clock) as store:
        store.start_run(RunRow(run_id, "crawl", instant(clock()), "0.1.0", "testhost"))
        recorder = Recorder(
            data_dir,
            run_id,
            store=store,
            frontier=Frontier(store, run_id, clock=clock),
            discover=lambda *_: Discovery(),
            sites=[SITE],
            clock=clock,
        )
        for url, body in pages:
            target = Target(url, "page", SITE.name, "annual_report")
            recorder.record_now(target, None, _exchange(target, body, clock()))
        recorder.close()
        publish_codebook(store)


def page(spec: ReportSpec) -> bytes:
    return html.write(lay_out(spec))


def pages(specs: Iterable[ReportSpec]) -> list[tuple[str, bytes]]:
    return [(url_of(spec.agency, spec.year), page(spec)) for spec in specs]


def _exchange(target: Target, body: bytes, moment: datetime) -> Exchange:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(body)
    parsed = split_head(head)
    return Exchange(
        url=target.url,
        method="GET",
        started_at=moment,
        elapsed_ms=1.0,
        request=b"GET / HTTP/1.1\r\n\r\n",
        response=head + body,
        status=200,
        headers=parsed.headers if parsed else (),
    )


def _in_force(values: dict[str, Number | None], before: Mapping[str, Number | None], chance: random.Random) -> None:
    """As many documents as an office of this size has."""
    for kind in ("regulations", "normative_documents"):
        known = before.get(f"disclosure.{kind}.in_force")
        issued = chance.randint(0, 9)
        start = int(known) if known is not None else chance.randint(20, 60)
        repealed = min(chance.randint(0, 4), start + issued)
        values[f"disclosure.{kind}.issued"] = issued
        values[f"disclosure.{kind}.repealed"] = repealed
        values[f"disclosure.{kind}.in_force"] = start + issued - repealed


def _sentences(values: Mapping[str, Number | None], year: int, form: str) -> str:
    if form == "2014":
        return f"{year}年，本机关共收到政府信息公开申请{values['applications.received']}件。"
    new, handled = values["applications.new.total"], values["applications.handled_total.total"]
    out = values["applications.carried_out.total"]
    return (
        f"{year}年，本机关共收到政府信息公开申请{new}件，办结{handled}件，结转下年度继续办理{out}件，"
        f"其中予以公开{values['applications.granted.total']}件。"
    )
