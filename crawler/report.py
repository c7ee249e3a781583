"""What commands say to a person. One function per command, values in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `gongkai parse` would otherwise load Scrapy and the replica
    from archive.audit import Problem
    from archive.changes import Change, Said
    from crawler.crawl import CrawlSummary
    from crawler.demo import DemoSummary
    from crawler.extract import ExtractSummary
    from crawler.importing import ImportSummary
    from crawler.nightly import NightSummary
    from crawler.site import Site


def crawled(summary: CrawlSummary, data_dir: Path) -> str:
    """A run: per site what it yielded and why it failed, then the totals."""
    lines = [f"run {summary.run_id} {summary.status}: {summary.requests} requests in {summary.crawl_seconds:.1f} s"]
    for site in summary.sites:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(site.outcomes.items()))
        lines.append(
            f"  {site.site}: {site.listings} listings ({site.new_listings} new); {outcomes or 'nothing fetched'}"
        )
        lines += [f"    FAILED: {trouble}" for trouble in site.troubles]
    levels = ", ".join(f"{count} {level}" for level, count in summary.findings.items() if count)
    return "\n".join(
        [*lines, extracted(summary.extracted), f"findings: {levels or 'none'}", f"in {data_dir / 'corpus.db'}"]
    )


def night(summary: NightSummary, data_dir: Path) -> str:
    """A night: its run, what changed, where the report of it lies."""
    changes = ", ".join(f"{count} {kind}" for kind, count in summary.changes.items())
    reports = [f"report: {path}" for path in summary.reports]
    return "\n".join([crawled(summary.crawl, data_dir), f"changes: {changes or 'none'}", *reports])


def extracted(summary: ExtractSummary) -> str:
    """What was read this time and what stands in the database."""
    return (
        f"read {summary.read} captures ({summary.unreadable} unreadable) in {summary.seconds:.1f} s; the database has "
        f"{summary.pages} pages, {summary.attachments} attachments, {summary.reports} reports, {summary.facts} facts"
    )


def demonstrated(summary: DemoSummary, data_dir: Path) -> str:
    """The demonstration's run, and where to look next."""
    return "\n".join(
        [
            f"replica site at {summary.site}",
            crawled(summary.crawl, data_dir),
            f"{summary.crawl.seconds:.1f} s in all, peak memory {summary.peak_megabytes} MB",
            f"next: gongkai --data {data_dir} serve",
        ]
    )


def imported(summary: ImportSummary) -> str:
    """Each file and what became of it, then the totals."""
    lines = []
    for file in summary.files:
        if file.status == "failed":
            lines.append(f"FAILED {file.problem}")
        elif file.status == "known":
            lines.append(f"{file.source}: imported before, as {file.warc_file}")
        else:
            lines.append(f"{file.source}: {file.captures} new captures, as {file.warc_file}")
    levels = ", ".join(f"{count} {level}" for level, count in summary.findings.items() if count)
    return "\n".join([*lines, extracted(summary.extracted), f"findings: {levels or 'none'}"])


def problem(found: Problem) -> str:
    """File, offset, record id, problem, separated by tabs."""
    return "\t".join(str(part) for part in (found.file, found.offset, found.record_id, found.problem))


def site_line(site: Site) -> str:
    """A declared site."""
    state = f"{len(site.channels)} channels" if site.enabled else f"disabled: {site.disabled_because}"
    return f"{site.name}\t{site.division_code}\t{site.agency}\t{state}"


def standing(found: dict[str, Any]) -> str:
    """What is wrong first, then sites with their years, channels that are not whole, runs, what waits, the disk."""
    lines = [f"ALARM {alarm['code']} {alarm['site']}: {alarm['message']}" for alarm in found["alarms"]]
    lines += [f"silent: {site}" for site in found["silent"]]
    for site in found["sites"]:
        state = f"{site['state']}, " if site["state"] else ""
        lines.append(
            f"{site['site']}: {state}{site['reports']} reports ({spans(site['years']) or 'no year'}), "
            f"{site['pages']} pages, last run {site['last_run_at']}, last new {site['last_new_at'] or 'never'}"
        )
    if found["imported"]["files"]:
        lines.append(f"imported: {found['imported']['files']} files, {found['imported']['reports']} reports")
    for channel in found["channels"]:
        if channel["status"] != "complete":
            because = f" ({channel['because']})" if channel["because"] else ""
            declared = "" if channel["declared"] is None else f" of {channel['declared']} declared"
            read = f"{channel['stored']}{declared} listed"
            lines.append(f"  channel {channel['site']} {channel['channel']}: {channel['status']}, {read}{because}")
    for run in found["runs"]:
        counts = f"{run['requests']} requests, {run['new_captures']} new captures"
        lines.append(f"run {run['run_id']} {run['kind']} {run['status']}: {counts}")
    lines += [f"{row['level']} {row['code']}: {row['count']}" for row in found["findings"]]
    if not lines:
        return "nothing collected yet"
    rechecks, disk, reviews = found["rechecks"], found["disk"], found["reviews"]
    if reviews["pairs"] or reviews["reports"]:
        lines.append(
            f"for a person to decide (gongkai agencies review): pairs of agencies that may be one: {reviews['pairs']}, "
            f"reports without an agency: {reviews['reports']}"
        )
    lines.append(
        f"waiting: {found['pending']} requests; of {rechecks['known']} known addresses {rechecks['overdue']} were not "
        f"asked for {rechecks['within_days']} days"
        + "".join(f" ({site}: {days})" for site, days in rechecks["within_days_by_site"].items())
    )
    if disk:
        lines.append(
            f"disk: WARC {disk['warc'] / 1e6:.1f} MB, database {disk['database'] / 1e6:.1f} MB, "
            f"index {disk['index'] / 1e6:.1f} MB, free {disk['free'] / 1e9:.1f} GB"
        )
    return "\n".join(lines)


def change(found: Change, *, is_whole: bool) -> str:
    """A change in a line; with `is_whole` also what was said before and after."""
    where = f" -> {found.moved_to}" if found.moved_to else ""
    title = f"  {found.title}" if found.title else ""
    lines = [f"{found.at[:10]}  {found.kind:<16} {found.site}  {found.url}{where}{title}"]
    if not is_whole:
        count = len(found.cells)
        return lines[0] + (f"  ({count} cell{'s' if count > 1 else ''})" if count else "")
    lines += [f"    {one.cell}: {_printed(one.old)} -> {_printed(one.new)}" for one in found.cells]
    lines += [f"    {line}" for line in (found.text_diff or "").splitlines()]
    return "\n".join(lines)


def said(found: Said) -> str:
    """What an address said on a day: a report's cells or a page's text."""
    gone = f", gone since {found.gone_at[:10]}" if found.gone_at else ""
    head = " ".join(str(part) for part in (found.agency, found.report_year, found.title) if part)
    lines = [f"{found.url}  captured {found.captured_at}{gone}", f"  {head}"]
    lines += [f"    {one.cell}: {_printed(one.raw)} ({one.status})" for one in found.cells if one.status != "absent"]
    lines += [f"    {line}" for line in found.text.splitlines()]
    return "\n".join(lines)


def standing_report(row: Mapping[str, Any]) -> str:
    """A report as it stood on a day, in a line."""
    gone = f"  gone since {row['gone_at'][:10]}" if row.get("gone_at") else ""
    return f"{row['report_id']}  {row['agency'] or '?'}  {row['report_year'] or '?'}  {row['document_url']}{gone}"


def _printed(text: str | None) -> str:
    return "not there" if text is None else f"“{text}”"


def spans(years: list[int]) -> str:
    """Ascending years with the gaps left out: 2014-2016, 2018."""
    parts: list[list[int]] = []
    for year in years:
        if parts and year == parts[-1][-1] + 1:
            parts[-1].append(year)
        else:
            parts.append([year])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
