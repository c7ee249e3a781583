"""A night's report for people: a page that needs nothing but itself, the same as Markdown, and a badge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import escape

from crawler.night import Alarm, Night, Reviews, RunLine, SiteNight, Usual

_TEMPLATES = Path(__file__).parent / "templates"

# (field of SiteNight, field with its usual value, Chinese, English): the numbers of each site, as columns.
COLUMNS = (
    ("requests", "usual_requests", "请求", "requests"),
    ("listings", "usual_listings", "条目", "listed"),
    ("new", "usual_new", "新增", "new"),
    ("changed", "usual_changed", "变更", "changed"),
    ("gone", "usual_gone", "消失", "gone"),
    ("failed", "usual_failed", "失败", "failed"),
    ("blocked", None, "拦截", "blocked"),
    ("unreadable", None, "读不了", "unreadable"),
)
STATES = {
    "ok": ("正常", "ok", "✓"),
    "incomplete": ("不完整", "incomplete", "◐"),
    "failed": ("出错", "failed", "✗"),
    "silent": ("无条目", "silent", "∅"),
    "blocked": ("被拦截", "blocked", "⊘"),
    "not_asked": ("未访问", "not asked", "–"),
}
KINDS = {
    "appeared": ("新增", "appeared"),
    "content_changed": ("内容变更", "content changed"),
    "disappeared": ("消失", "disappeared"),
    "reappeared": ("重现", "reappeared"),
    "moved": ("迁移", "moved"),
}
RUN_STATES = {
    "running": ("进行中", "running"),
    "finished": ("完成", "finished"),
    "failed": ("有站点失败", "failed"),
    "interrupted": ("中断", "interrupted"),
}
BROKEN = ("中止", "broke off")
_GREEN, _AMBER, _RED = "#2e7d32", "#b26a00", "#b3261e"
# Widths of DejaVu Sans at 11 pixels, good enough to leave room.
_LETTER, _IDEOGRAPH = 6.6, 11.5


def html(night: Night) -> str:
    """One file: its style within, no script, nothing fetched."""
    return _template().render(
        night=night,
        columns=COLUMNS,
        states=STATES,
        kinds=KINDS,
        state=_state(night),
        totals=_totals(night),
        bars=_bars([night.run, *night.earlier]),
        sites=_worst_first(night.sites),
    )


def markdown(night: Night) -> str:
    """The same in tables, for mail and for terminals."""
    run = night.run
    zh, en = _state(night)
    lines = [
        f"# 公开 · {_cell(run.run_id)}",
        "",
        f"{run.kind}: **{zh} {en}**, {run.started_at} – {run.finished_at or '…'}",
        "",
        f"{run.requests} 请求 requests ({shown(night.usual_requests)} 通常 usual), "
        f"{run.new_captures} 新存档 new captures ({shown(night.usual_new_captures)} 通常 usual)",
        "",
        f"## 警报 Alarms: {len(night.alarms)}",
        "",
        *(f"- **{alarm.code}** {_cell(alarm.site)} {_both(alarm)}" for alarm in night.alarms),
        *([] if night.alarms else ["无 none"]),
        "",
        *_waiting(night.reviews),
        "## 站点 Sites",
        "",
        "| 站点 site | 状态 state | " + " | ".join(f"{zh} {en}" for _, _, zh, en in COLUMNS) + " |",
        "|---|---|" + "---:|" * len(COLUMNS),
    ]
    for site in _worst_first(night.sites):
        numbers = (_number(site, name, usual) for name, usual, _, _ in COLUMNS)
        lines.append(f"| {_cell(site.site)} | {' '.join(STATES[site.state][:2])} | {' | '.join(numbers)} |")
    lines += [
        "",
        "数字后括号内为最近七次同类运行的中位数。 In brackets: the median of the last seven runs of the kind.",
    ]
    lines += _listed(
        "不完整的栏目 Incomplete channels", [f"{s.site} {because}" for s in night.sites for because in s.incomplete]
    )
    changes = [f"{one.site} {' '.join(KINDS[one.kind])} {one.url}" for one in night.changes]
    if night.layout_change_count:
        changes.append(
            f"另有 {night.layout_change_count} 个页面仅版式或计数变化 "
            f"{night.layout_change_count} more pages changed in layout or counters alone"
        )
    lines += _listed(f"变更 Changes: {night.change_count}", changes)
    unreadable = [f"{one.code} {one.url} {one.message}" for one in night.unreadable]
    lines += _listed(f"读不了的文件 Unreadable documents: {night.unreadable_count}", unreadable)
    checks = [
        f"{one.agency} {one.report_year or ''}: {one.rule} ({one.lhs} / {one.rhs})" for one in night.failed_checks
    ]
    lines += _listed(f"未通过的检查 Failed checks: {night.failed_check_count}", checks)
    findings = [f"{level} {code}: {count}" for level, code, count in night.findings]
    lines += _listed("发现 Findings", findings + [f"{one.level} {one.code}: {one.message}" for one in night.said])
    growth = night.growth
    lines += _listed(
        "存储 Storage",
        [
            f"WARC {size(growth.warc)} (本次 this run +{size(growth.night_warc)})",
            f"corpus.db {size(growth.database)}",
            f"可用 free {size(growth.free)} / {size(growth.disk)}",
        ],
    )
    return "\n".join(lines) + "\n"


def badge(night: Night) -> str:
    """`gongkai | 3 sites, 0 alarms` as SVG: red with alarms, amber for what is incomplete, green else."""
    count = len(night.alarms)
    day = night.run.started_at[:10]
    if count:
        said, colour = f"{day} · {count} alarm{'s' if count > 1 else ''}", _RED
    elif any(site.state == "incomplete" for site in night.sites):
        said, colour = f"{day} · incomplete", _AMBER
    else:
        said, colour = f"{day} · {night.total('new')} new", _GREEN
    name = "gongkai 公开"
    left, right = _width(name), _width(said)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{escape(name)}: {escape(said)}"><title>{escape(name)}: {escape(said)}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        f'<g fill="#fff" text-anchor="middle" font-family="DejaVu Sans,Verdana,Noto Sans CJK SC,sans-serif" '
        f'font-size="11"><text x="{left / 2}" y="14">{escape(name)}</text>'
        f'<text x="{left + right / 2}" y="14">{escape(said)}</text></g></svg>\n'
    )


def shown(value: Usual) -> str:
    """A usual value; a dash where there is none yet."""
    return "–" if value is None else f"{value:g}"


def size(count: float | None) -> str:
    """Bytes for people."""
    if count is None:
        return "–"
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{amount:.3g} {unit}" if unit != "B" else f"{amount:.0f} B"
        amount /= 1000
    return f"{amount:.3g} TB"


def is_link(url: str) -> bool:
    """Whether an address from the outside may become a link: nothing that a browser would run."""
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shown=shown, size=size)
    environment.tests["link"] = is_link
    return environment.get_template("night.html")


def _totals(night: Night) -> list[tuple[str, str, int, bool]]:
    """Chinese, English, number, whether more than none is bad."""
    total = night.total
    return [
        ("新增", "new", total("new"), False),
        ("变更", "changed", total("changed"), False),
        ("消失", "gone", total("gone"), False),
        ("重现", "reappeared", total("reappeared"), False),
        ("迁移", "moved", total("moved"), False),
        ("失败", "failed", total("failed"), True),
        ("无条目", "silent", sum(site.is_silent for site in night.sites), True),
        ("拦截", "blocked", total("blocked"), True),
        ("不完整", "incomplete", sum(bool(site.incomplete) for site in night.sites), True),
        ("读不了", "unreadable", night.unreadable_count, True),
        ("检查未过", "failed checks", night.failed_check_count, True),
    ]


def _bars(runs: Sequence[RunLine]) -> list[tuple[int, float, RunLine]]:
    """Where each run's bar stands, how high it is (0 to 1), oldest first."""
    most = max(run.requests for run in runs) or 1
    return [(at, run.requests / most, run) for at, run in enumerate(reversed(runs))]


def _worst_first(sites: Sequence[SiteNight]) -> list[SiteNight]:
    order = ("blocked", "silent", "failed", "incomplete", "ok", "not_asked")
    return sorted(sites, key=lambda site: (order.index(site.state), site.site))


def _number(site: SiteNight, name: str, usual: str | None) -> str:
    value = getattr(site, name)
    before = getattr(site, usual) if usual else None
    return str(value) if before is None else f"{value} ({before:g})"


def _listed(heading: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {heading}", "", *(f"- {_cell(line)}" for line in lines)] if lines else []


def _waiting(reviews: Reviews) -> list[str]:
    counted = [
        f"- {zh} {en}: {count}"
        for count, zh, en in (
            (reviews.pairs, "可能为同一机关的机关对", "pairs of agencies that may be one"),
            (reviews.reports, "无法归属的报告", "reports without an agency"),
        )
        if count
    ]
    return ["## 待人裁定 For a person to decide", "", *counted, "- `gongkai agencies review`", ""] if counted else []


def _state(night: Night) -> tuple[str, str]:
    """How the run ended; one that broke off is no run of which a site failed."""
    if any(alarm.code == "run_broken" for alarm in night.alarms):
        return BROKEN
    return RUN_STATES.get(night.run.status, (night.run.status, night.run.status))


def _both(alarm: Alarm) -> str:
    return " / ".join(_cell(words) for words in (alarm.message_zh, alarm.message) if words)


def _cell(text: str) -> str:
    """On one line, with nothing that Markdown or the HTML in it would take for its own."""
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", " ".join(text.split()))


def _width(text: str) -> int:
    return round(sum(_LETTER if letter.isascii() else _IDEOGRAPH for letter in text)) + 12
