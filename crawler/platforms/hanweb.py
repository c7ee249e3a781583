"""大汉 jCMS (Hanweb): lists as XML inside a script block, further groups from `dataproxy.jsp`.

A column page embeds its first group (about three screen pages) in `<script type="text/xml"><datastore>…`; its script
says how many records there are and how many a screen page has. Further groups are asked for by POST with a record
range, or, where the page does not say enough for that, by GET of the address in `<nextgroup>`.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from crawler.platforms import (
    UNCOUNTED,
    Entry,
    Headers,
    ListReading,
    NextRequest,
    Parameters,
    Trouble,
    shifted,
    shortfall,
)
from crawler.platforms.markup import absolute, address, day, squeezed, take_day, title, tree, unescaped
from parsers.decode import decode

DATA_PROXY = "/module/web/jpage/dataproxy.jsp"
# The order in which the sites' own script sends the form.
FORM_FIELDS = (
    "col",
    "appid",
    "webid",
    "path",
    "columnid",
    "sourceContentType",
    "unitid",
    "webname",
    "permissiontype",
)
FORM_DEFAULTS = {"col": "1", "appid": "1", "path": "/", "sourceContentType": "1", "permissiontype": "0"}
NEEDED_FIELDS = ("columnid", "unitid", "webid")
# The sites' own script asks for three screen pages at once, and has 15 records on each unless told.
PAGES_IN_GROUP = 3
DEFAULT_PER_PAGE = 15
# Some sites begin each group with the last record of the one before; more have moved.
OVERLAP = 1
# No disclosure column seen comes near; a list that still goes on then does not end at all.
MOST_GROUPS = 2000

_SIGNS = (
    (re.compile(rb"/module/web/jpage/dataproxy\.jsp", re.I), "the page names dataproxy.jsp"),
    (re.compile(rb"<datastore>.{0,4000}<(?:nextgroup|recordset|record)>", re.I | re.S), "the page holds a datastore"),
    (re.compile(rb"\)\.jpage\(", re.I), "the page calls jpage()"),
    (re.compile(rb"/module/download/downfile\.jsp|/jcms_files/", re.I), "the page links to jCMS downloads"),
    (re.compile(rb"<!--ZJEG_RSS\.", re.I), "the page holds ZJEG_RSS marks"),
)
_COLUMN_PATH = re.compile(r"/col/col(\d+)/")
_BLOCK = re.compile(r"<datastore\b[^>]*>(.*?)(?=</datastore>|<datastore\b|</script>|\Z)", re.I | re.S)
_NEXT_GROUP = re.compile(r"<nextgroup\b[^>]*>(.*?)</nextgroup>", re.I | re.S)
_RECORD = re.compile(r"<record\b[^>]*>(.*?)(?=</record>|<record\b|</recordset>|</datastore>|\Z)", re.I | re.S)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.S)
_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)
_TOTAL = re.compile(r"<totalrecord>\s*(\d+)\s*</totalrecord>", re.I)
_JPAGE = re.compile(r"""\$\(\s*['"]#(\w+)['"]\s*\)\.jpage\((.*?)(?=\)\.jpage\(|</script>|\Z)""", re.I | re.S)
_PARAMETERS = re.compile(r"param_(\w+)\s*=\s*\{(.*?)\}", re.S)
_PAIR = re.compile(r"""['"]?(\w+)['"]?\s*:\s*(?:'([^']*)'|"([^"]*)"|(-?\d+))""")


@dataclass(frozen=True, slots=True)
class _State:
    """Where the reading of one list block stands: what the next group's answer has to be read with.

    `start` is the first record asked for, from 1; `seen` counts records of earlier groups; `previous` holds short
    digests of the last group's addresses, by which an overlap and a repeated group are known.
    """

    form: Mapping[str, str]
    proxy: str
    referer: str
    per_page: int
    start: int = 1
    total: int | None = None
    seen: int = 0
    group: int = 0
    previous: Sequence[str] = ()
    post: bool = True


@dataclass(frozen=True, slots=True)
class _Block:
    """One list on a column page: its records' markup and what the page says about asking for more."""

    records: tuple[str, ...]
    next_group: str | None
    form: Mapping[str, str] = field(default_factory=dict)
    total: int | None = None
    per_page: int | None = None


def recognise(entity: bytes, headers: Headers, url: str) -> str | None:  # noqa: ARG001  the sites' headers say nothing
    """Why the page is jCMS, or None."""
    for sign, reason in _SIGNS:
        if sign.search(entity):
            return reason
    return None


def read_list(entity: bytes, *, url: str, parameters: Parameters) -> ListReading:
    """A column page (`parameters` {}) or the answer of `dataproxy.jsp` to one of our own requests."""
    text = decode(entity).text
    if "start" in parameters:
        return _read_group(
            text, url, _State(**{name: parameters[name] for name in _State.__slots__ if name in parameters})
        )
    blocks = _chosen(_blocks(text), url)
    readings = [_read_first(block, url) for block in blocks]
    totals = [reading.total for reading in readings if reading.total is not None]
    return ListReading(
        entries=tuple(entry for reading in readings for entry in reading.entries),
        total=sum(totals) if totals else None,
        requests=tuple(request for reading in readings for request in reading.requests),
        troubles=tuple(trouble for reading in readings for trouble in reading.troubles),
    )


def _blocks(text: str) -> list[_Block]:
    """Every list of a column page, with the settings that the page's scripts state for it."""
    parameters = {unit: _pairs(body) for unit, body in _PARAMETERS.findall(text)}
    calls = {unit: _pairs(body) for unit, body in _JPAGE.findall(text)}
    stores = [_Store.read(match) for match in _BLOCK.findall(text)]
    blocks = []
    for store in stores:
        unit = store.query.get("unitid", "")
        if unit not in calls and len(stores) == len(calls) == 1:
            unit = next(iter(calls))
        call = calls.pop(unit, {})
        blocks.append(_block(store, unit, {**store.query, **call, **parameters.get(unit, {})}))
    # A list whose first group the page does not embed.
    blocks.extend(_block(_Store(), unit, {**call, **parameters.get(unit, {})}) for unit, call in calls.items())
    return blocks


@dataclass(frozen=True, slots=True)
class _Store:
    """The content of one `<datastore>`."""

    records: tuple[str, ...] = ()
    next_group: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    total: int | None = None

    @classmethod
    def read(cls, text: str) -> _Store:
        next_group = _next_group(text)
        total = _TOTAL.search(text)
        return cls(
            records=_records(_NEXT_GROUP.sub("", text)),
            next_group=next_group,
            query=dict(parse_qsl(urlsplit(next_group).query, keep_blank_values=True)) if next_group else {},
            total=int(total[1]) if total else None,
        )


def _block(store: _Store, unit: str, settings: Mapping[str, str]) -> _Block:
    form = {name: settings[name] for name in FORM_FIELDS if name in settings}
    if unit:
        form.setdefault("unitid", unit)
    return _Block(
        records=store.records,
        next_group=store.next_group,
        form=form,
        total=_number(settings.get("totalRecord")) if store.total is None else store.total,
        per_page=_number(settings.get("perPage")) or None,
    )


def _chosen(blocks: list[_Block], url: str) -> list[_Block]:
    """The lists of the column that the address names; all lists where none is said to be of it."""
    column = _COLUMN_PATH.search(url)
    own = [block for block in blocks if column and block.form.get("columnid") == column[1]]
    return own or blocks


def _read_first(block: _Block, url: str) -> ListReading:
    embedded = len(block.records) // PAGES_IN_GROUP
    state = _State(
        form={**FORM_DEFAULTS, **block.form},
        proxy=urljoin(url, DATA_PROXY),
        referer=url,
        per_page=block.per_page or embedded or DEFAULT_PER_PAGE,
        total=block.total,
        post=all(block.form.get(name) for name in NEEDED_FIELDS),
    )
    return _advance(state, block.records, block.next_group, url)


def _read_group(text: str, url: str, state: _State) -> ListReading:
    store = _Store.read(text)
    if not store.records and "&lt;record" in text:
        store = _Store.read(html.unescape(text))
    reading = _read_records(text, store, url, replace(state, total=store.total or state.total))
    if state.total is None:
        return reading
    reading = replace(reading, total=None)
    if store.total in (None, state.total):
        return reading
    moved = shifted(f"the declared total went from {state.total} to {store.total} by group {state.group}")
    return replace(reading, troubles=(moved, *reading.troubles))


def _read_records(text: str, store: _Store, url: str, state: _State) -> ListReading:
    if not store.records and (state.total is None or state.seen < state.total):
        return _ended_empty(text, state)
    return _advance(state, store.records, store.next_group, url)


def _ended_empty(text: str, state: _State) -> ListReading:
    if state.total is None and _BLOCK.search(text):
        return ListReading(troubles=(UNCOUNTED,))
    asked = f"group {state.group} (from record {state.start})"
    trouble = Trouble(
        "warning", "list_incomplete", f"{asked}: expected records, found an answer without any ({len(text)} characters)"
    )
    return ListReading(total=state.total, troubles=(trouble, *shortfall(state.seen, state.total)))


def _advance(state: _State, records: Sequence[str], next_group: str | None, url: str) -> ListReading:
    """The entries of one group that an earlier one did not have, and the request for the next group if there is one."""
    entries: list[Entry] = []
    troubles: list[Trouble] = []
    digests: list[str] = []
    fresh = 0
    for markup in records:
        entry = _entry(markup, url, position=state.seen + fresh + 1)
        digest = _short_digest(entry.url if entry else markup)
        digests.append(digest)
        if digest in state.previous:
            continue
        fresh += 1
        if entry is not None:
            entries.append(entry)
        else:
            troubles.append(_unreadable(markup))
    seen = state.seen + fresh
    reading = ListReading(entries=tuple(entries), total=state.total, troubles=tuple(troubles))
    if records and not fresh:
        repeated = Trouble("warning", "list_repeated", f"group {state.group} repeats the group before it")
        return replace(reading, troubles=(*troubles, repeated, *shortfall(seen, state.total)))
    overlap = len(records) - fresh
    if state.group and overlap > OVERLAP:
        troubles.append(shifted(f"{overlap} records of group {state.group} stood in the group before it"))
        reading = replace(reading, troubles=tuple(troubles))
    if state.total is not None and seen >= state.total:
        return reading
    following = replace(
        state,
        start=state.start + min(len(records), PAGES_IN_GROUP * state.per_page),
        seen=seen,
        group=state.group + 1,
        previous=digests,
    )
    request = _next_request(following, next_group, url)
    if request is None:
        return replace(reading, troubles=(*troubles, *_no_way_on(state, seen)))
    return replace(reading, requests=(request,))


def _no_way_on(state: _State, seen: int) -> tuple[Trouble, ...]:
    if state.group >= MOST_GROUPS:
        return (Trouble("error", "list_endless", f"the list goes on after {MOST_GROUPS} groups; stopped there"),)
    return shortfall(seen, state.total) if state.total is not None else (UNCOUNTED,)


def _next_request(state: _State, next_group: str | None, url: str) -> NextRequest | None:
    if state.group > MOST_GROUPS:
        return None
    if state.post:
        return _posted(state)
    if next_group is None:
        return None
    return NextRequest(
        url=urljoin(url, next_group),
        parameters=asdict(state),
        headers=(("X-Requested-With", "XMLHttpRequest"), ("Referer", state.referer)),
    )


def _posted(state: _State) -> NextRequest:
    end = state.start + PAGES_IN_GROUP * state.per_page - 1
    query = urlencode({"startrecord": state.start, "endrecord": end, "perpage": state.per_page})
    form = [(name, state.form[name]) for name in FORM_FIELDS if name in state.form]
    return NextRequest(
        url=f"{state.proxy}?{query}",
        parameters=asdict(state),
        method="POST",
        body=urlencode(form).encode("ascii"),
        headers=(
            ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
            ("X-Requested-With", "XMLHttpRequest"),
            ("Referer", state.referer),
        ),
    )


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _pairs(script: str) -> dict[str, str]:
    """The `name: value` pairs of a script's object literal whose values are strings or numbers."""
    return {name: single or double or number for name, single, double, number in _PAIR.findall(script)}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _next_group(text: str) -> str | None:
    """The address in `<nextgroup>`, as written but with entities resolved."""
    found = _NEXT_GROUP.search(text)
    href = _HREF.search(found[1]) if found else None
    return unescaped((href[1] or href[2] or "").strip()) or None if href else None


def _records(text: str) -> tuple[str, ...]:
    """The markup of each record; where the `<record>` marks are missing, of each CDATA section."""
    found = _RECORD.findall(text) or [match[0] for match in _CDATA.finditer(text)]
    records = ["".join(_CDATA.findall(record)) or record for record in found]
    return tuple(record for record in records if record.strip())


def _entry(markup: str, url: str, *, position: int) -> Entry | None:
    """One record: its main link, whole title and date. None when it has no link that can be followed."""
    root = tree(markup)
    if root is None:
        return None
    listed = take_day(root)
    anchors = [(anchor, link) for anchor in root.iter("a") if (link := address(anchor))]
    if not anchors:
        return None
    anchor, link = max(anchors, key=lambda pair: len(title(pair[0])))
    if listed is None:
        listed = day(squeezed("".join(root.itertext()).replace("".join(anchor.itertext()), "")))
    target = absolute(url, link)
    return Entry(url=target, title=title(anchor), date=listed, position=position) if target else None


def _unreadable(markup: str) -> Trouble:
    return Trouble(
        "warning", "list_entry_unreadable", f"expected a link in the record, found {squeezed(markup)[:200]!r}"
    )
