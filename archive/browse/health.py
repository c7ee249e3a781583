"""Pages about sites: how each stands, what its runs yielded, what it is expected to yield, what is broken."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from http import HTTPStatus
from typing import Any

from datasette import Response

from archive.browse import charts
from archive.browse.codebook import DATABASE, codebook
from archive.browse.overview import division_names
from archive.browse.pages import clear
from archive.browse.payload import UnavailableError
from archive.browse.queries import RowDict, first_row, rows
from archive.browse.rendering import address, chosen, shown

SHOWN_RUNS = 30
STATES = ("blocked", "silent", "failed", "incomplete", "not_asked", "ok")

# What is broken first.
SITES = """
SELECT * FROM site_health WHERE :state = '' OR state = :state
ORDER BY CASE state WHEN 'blocked' THEN 0 WHEN 'silent' THEN 1 WHEN 'failed' THEN 2 WHEN 'incomplete' THEN 3
    WHEN 'not_asked' THEN 4 ELSE 5 END, site LIMIT 1000
"""
SITE_STATES = "SELECT state, count(*) AS sites FROM site_health GROUP BY state"
LAST_RUNS = """
SELECT site, run_id, started_at, state, listed, requests FROM site_runs
WHERE run_id IN (SELECT run_id FROM runs WHERE kind IN ('crawl', 'nightly') ORDER BY started_at DESC LIMIT :runs)
ORDER BY started_at
"""
SITE = "SELECT h.*, s.toml FROM site_health h JOIN sites s ON s.name = h.site WHERE h.site = :site"
SITE_RUNS = "SELECT * FROM site_runs WHERE site = :site ORDER BY started_at DESC LIMIT :runs"
CHANNELS = """
SELECT c.channel, c.declared, c.stored, c.status, c.because, c.run_id, r.started_at
FROM channel_runs c JOIN runs r ON r.run_id = c.run_id
WHERE c.site = :site AND r.started_at = (
    SELECT max(o.started_at) FROM channel_runs p JOIN runs o ON o.run_id = p.run_id
    WHERE p.site = c.site AND p.channel = c.channel)
ORDER BY c.channel
"""
FINDINGS = """
SELECT n.level, n.code, count(*) AS findings, min(n.message) AS message, max(n.capture_id) AS capture_id FROM findings n
JOIN exchanges e ON e.capture_id = n.capture_id JOIN frontier f ON f.frontier_id = e.frontier_id
WHERE n.run_id = :run_id AND f.site = :site AND n.level <> 'info'
GROUP BY n.level, n.code ORDER BY n.level, findings DESC LIMIT 40
"""
YEARS = """
SELECT report_year, count(*) AS reports FROM reports WHERE site = :site AND report_year IS NOT NULL AND copy_of IS NULL
GROUP BY report_year ORDER BY report_year
"""


async def sites_page(datasette: Any, request: Any) -> Response:
    """All sites, what is broken first."""
    database = datasette.get_database(DATABASE)
    state = chosen(request, "state", STATES)
    counts = {row["state"]: row["sites"] for row in await rows(database, SITE_STATES)}
    runs: dict[str, list[RowDict]] = defaultdict(list)
    for run in await rows(database, LAST_RUNS, runs=SHOWN_RUNS):
        runs[run["site"]].append(run)
    sites = await rows(database, SITES, state=state)
    for site in sites:
        site["runs"] = charts.spark(
            _run_columns(runs[site["site"]], datasette.urls.path, linked=False),
            label=f"{site['site']}：各次实收条目 entries listed, run by run",
        )
    context = {
        "sites": sites,
        "state": state,
        "states": [(name, counts[name]) for name in STATES if name in counts],
        "names": await division_names(database),
    }
    return await shown(datasette, request, "sites", context)


@clear
async def site_page(datasette: Any, request: Any) -> Response:
    """One site: its last runs, channels, expectations, what went wrong."""
    database = datasette.get_database(DATABASE)
    name = request.url_vars["site"]
    site = await first_row(database, SITE, site=name)
    if site is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no site {name}.")
    runs = await rows(database, SITE_RUNS, site=name, runs=SHOWN_RUNS)
    declared = _declared(site["toml"])
    channels = {row["channel"]: row for row in await rows(database, CHANNELS, site=name)}
    years = await rows(database, YEARS, site=name)
    path = datasette.urls.path
    context = {
        "site": site,
        "names": await division_names(database),
        "runs": runs,
        "drawn": charts.columns(_run_columns(runs[::-1][-14:], path), label="各次实收条目 Entries listed, run by run"),
        "channels": [_channel(channel, url, declared, channels.get(channel)) for channel, url in _channels(declared)],
        "others": [row for channel, row in channels.items() if channel not in dict(_channels(declared))],
        "politeness": declared.get("politeness", {}),
        "findings": await rows(database, FINDINGS, site=name, run_id=site["run_id"]) if site["run_id"] else [],
        "years": years,
        "years_drawn": charts.columns(
            [
                charts.Column(
                    f"{row['report_year'] % 100:02d}",
                    (charts.Part("plain", "报告", row["reports"]),),
                    f"{row['report_year']}：{row['reports']} 份报告 reports",
                    path(f"/corpus/reports?site={name}&report_year={row['report_year']}"),
                )
                for row in years
            ],
            label="各年度报告数 Reports by year",
            height=160,
        ),
    }
    return await shown(datasette, request, "site", context)


def _run_columns(runs: list[RowDict], path: Any, *, linked: bool = True) -> list[charts.Column]:
    words, columns = codebook().terms["site_state"], []
    for run in runs:
        state = words[run["state"]]
        said = f"{run['started_at'][:10]}：{run['listed']} 条 entries，{state[0]} {state[1]}"
        href = path(address("/-/changes", run=run["run_id"])) if linked else ""
        mark = "" if run["state"] == "ok" else words[run["state"]][2]
        parts = (charts.Part("plain", "条目", run["listed"]),)
        columns.append(charts.Column(run["started_at"][5:10], parts, said, href, mark))
    return columns


def _declared(toml: str) -> dict[str, Any]:
    """The site file; empty when a later version would no longer take it."""
    try:
        return tomllib.loads(toml)
    except tomllib.TOMLDecodeError:
        return {}


def _channels(declared: dict[str, Any]) -> list[tuple[str, str]]:
    channels = declared.get("channels", {})
    return [(str(name), str(url)) for name, url in channels.items()] if isinstance(channels, dict) else []


def _channel(name: str, url: str, declared: dict[str, Any], row: RowDict | None) -> RowDict:
    """One declared channel with what its last reading gave and what the site file expects."""
    expected = declared.get("expect", {}).get(name)
    stored = row["stored"] if row else None
    is_short = isinstance(expected, int) and stored is not None and stored < expected
    return {"channel": name, "url": url, "expected": expected, "is_short": is_short, "row": row}
