"""What one payload leads to: entries of a list, further requests, findings.

Pure: the same bytes, the same target, the same answer, whether the bytes have just arrived or are read again from a
WARC file years later. It never raises on bad bytes; what does not fit is a finding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_from_bytes, urldefrag, urljoin, urlsplit

from w3lib.url import safe_url_string

from archive import http1
from archive.history import MISSING_CAME
from archive.model import Discovery, Exchange, Finding, Listing, Target
from crawler.blocking import block, self_redirect_guard
from crawler.platforms import Entry, NextRequest, platform, recognise
from crawler.refresh import refresh_address
from crawler.site import AUTO, HISTORY_CHANNEL, Site
from crawler.traps import trap, without_session_id
from parsers.page import read_links

PAGES = frozenset({200, 203})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEEPS_METHOD = frozenset({307, 308})
# In a target's parameters: its answer is what the host sends in place of pages, as the run found out.
STAND_IN = "is_stand_in"
# What stands there for a page in place of a file that is known.
NO_FILE = "page"
PAGE_INSTEAD_OF_FILE = "page_instead_of_file"
# In a target's parameters: how a browser drew the page. `code` and `message` of a finding, and of requests `refused`.
RENDERING = "rendering"
_RENDERING_LEVELS = {"rendered": "info", "render_cut_short": "warning"}
_SOFT_404 = {
    "missing": MISSING_CAME,
    "homepage": "the homepage came instead of the page",
}
# Browsers give up after about 20; the longest honest chain seen on these sites has 3.
MOST_REDIRECTS = 5
# Where sites send those who ask for what is gone.
GONE_PATHS = re.compile(r"/(?:404(?:\.html?|\.shtml|/)?|(?:error|notfound)\.(?:html?|jsp))?", re.I)
# A page that sends to itself until a cookie comes back has hardly anything else; others draw themselves anew.
_LONGEST_JUMP = 4096
_FILE_SUFFIXES = "pdf|docx?|wps|xlsx?|et|ofd|rar|zip|7z|csv|rtf|pptx?|jpe?g|png|gif|tiff?"
_FILE_PATH = re.compile(rf"\.(?:{_FILE_SUFFIXES})$", re.I)
# A .doc or .xls that is HTML is everyday.
_NEVER_A_PAGE = re.compile(r"\.(?:pdf|docx|xlsx|pptx|ofd|rar|zip|7z|jpe?g|png|gif|tiff?)$", re.I)
_PAGE_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|title|meta|body|script)\b", re.I)
# Characters that may stand in an address as they are; bytes beyond ASCII are percent-encoded as received.
_ADDRESS_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
# Addresses that no joining and no quoting changes: what most of them are.
_PLAIN = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]*[a-z0-9])*(?::(?:[1-5][0-9]{4}|[1-9][0-9]{0,3}))?"
    r"/[A-Za-z0-9/_-]*(?:\.[A-Za-z0-9]+)?(?:\?[A-Za-z0-9=&._-]+)?"
)


def seeds(site: Site) -> tuple[Target, ...]:
    """The first requests of a site: its channels' list pages and its report history, year by year."""
    lists = tuple(Target(url=url, role="list", site=site.name, channel=name) for name, url in site.channels)
    return lists + _history(site)


def newest_history(site: Site) -> tuple[Target, ...]:
    """The one page of the report history that may still be empty: it is asked again by every run."""
    return _history(site)[:1]


def _history(site: Site) -> tuple[Target, ...]:
    return tuple(
        Target(url=url, role="page", site=site.name, channel=HISTORY_CHANNEL, anchor=str(year), depth=1)
        for year, url in (site.history.urls() if site.history else ())
    )


def discover(target: Target, entity: bytes, *, site: Site, exchange: Exchange) -> Discovery:
    """Read one payload by its role. `entity` is the body with all codings removed."""
    status = exchange.status
    if status is None or status == 304:
        return Discovery()
    stand_in = _parameters(target).get(STAND_IN)
    if stand_in == NO_FILE:
        message = f"expected the file that is known, found an HTML page of {len(entity)} bytes"
        said = _finding(target, "warning", PAGE_INSTEAD_OF_FILE, message)
        return Discovery(findings=(said,), outcome="http_error")
    if stand_in is not None:
        return Discovery(findings=(_finding(target, "warning", "soft_404", _SOFT_404[stand_in]),), outcome="http_error")
    if status in REDIRECTS:
        return _redirect(target, site=site, exchange=exchange)
    guard = block(entity, status=status, headers=exchange.headers)
    if guard is not None:
        message = f"expected the {target.role}, found a page of a guard: {guard.name} ({guard.why})"
        return Discovery(findings=(_finding(target, "error", guard.code, message),), outcome="blocked")
    if status not in PAGES:
        level = "error" if target.role == "list" else "warning"
        found = _only(_finding(target, level, "http_error", f"expected the {target.role}, found status {status}"))
        is_whole = status < 400 and exchange.truncated is None
        return replace(found, outcome="http_error") if is_whole else found
    if target.role != "list" and exchange.truncated is None and (not entity or entity.isspace()):
        message = f"expected the {target.role}, found status {status} and nothing in its {len(entity)} bytes"
        said = _finding(target, "warning", "empty_answer", message)
        return Discovery(findings=(said,), outcome="http_error", asks_again=True)
    sent_on = _sent_on(target, entity, site=site, exchange=exchange)
    if sent_on is not None:
        return sent_on
    found = _read(target, entity, site=site, exchange=exchange)
    drawn = _rendering(target)
    if drawn:
        found = replace(found, findings=(*drawn, *found.findings))
    if exchange.trailing.strip():
        message = f"{len(exchange.trailing)} bytes came after the end that the answer declares: kept, and not read"
        found = replace(found, findings=(*found.findings, _finding(target, "warning", "bytes_after_end", message)))
    if exchange.truncated is None:
        return found
    message = f"the answer ends early ({exchange.truncated}); read as far as it goes"
    return replace(found, findings=(*found.findings, _finding(target, "warning", "truncated", message)))


def _read(target: Target, entity: bytes, *, site: Site, exchange: Exchange) -> Discovery:
    if target.role == "list":
        return _list(target, entity, site=site, exchange=exchange)
    if target.role == "page":
        return _page(target, entity, site=site, exchange=exchange)
    return Discovery()


def _rendering(target: Target) -> tuple[Finding, ...]:
    """What is to be said of how a browser drew the page."""
    about = _parameters(target).get(RENDERING)
    if about is None:
        return ()
    code, message = about["code"], about["message"]
    refused = (
        Finding("warning", refusal, f"{why}, so the browser did not get it", url)
        for refusal, why, url in about.get("refused", ())
    )
    level = _RENDERING_LEVELS.get(code, "error")
    return (_finding(target, level, code, message), *refused)


def _finding(target: Target, level: Any, code: str, message: str) -> Finding:
    return Finding(level=level, code=code, message=message, url=target.url)


def location_of(url: str, headers: tuple[tuple[bytes, bytes], ...]) -> str | None:
    """Where a redirect from `url` leads, its bytes kept as received; None without a Location that is an address."""
    raw = next((value for name, value in headers if name.lower() == b"location"), b"").strip()
    return _absolute(url, quote_from_bytes(raw, safe=_ADDRESS_CHARACTERS)) if raw else None


def destination_of(url: str, response: bytes) -> str | None:
    """Where a response whose outcome is `redirect` leads: by its Location, or by the page that sends on."""
    location = _named_location(url, response)
    return _lasting(url, location) if location is not None else None


def _named_location(url: str, response: bytes) -> str | None:
    head = http1.split_head(response)
    location = location_of(url, head.headers) if head else None
    if head is None or location is not None or head.status in REDIRECTS:
        return location
    try:
        entity = http1.entity(response, head=head)
    except http1.DecodingError as error:
        entity = error.partial
    address = refresh_address(entity)
    return _absolute(url, address) if address else None


def _redirect(target: Target, *, site: Site, exchange: Exchange) -> Discovery:
    location = location_of(target.url, exchange.headers)
    if location is None:
        message = f"status {exchange.status} without a Location that is an address"
        return _only(_finding(target, "warning", "redirect_without_location", message))
    if location == _absolute(target.url, target.url):
        said = _finding(target, "warning", "redirect_limit", "redirected to itself")
        return _guarded(target, exchange) or _only(said)
    return _redirected(target, location, site=site, exchange=exchange)


def _sent_on(target: Target, entity: bytes, *, site: Site, exchange: Exchange) -> Discovery | None:
    """A page that only sends a browser on, as a redirect; None for any other, one that loads itself again included."""
    address = refresh_address(entity) if _rendering(target) == () else None
    location = _absolute(target.url, address) if address else None
    if location is None:
        return None
    if location == _absolute(target.url, target.url):
        return _guarded(target, exchange) if len(entity) <= _LONGEST_JUMP else None
    found = _redirected(target, location, site=site, exchange=exchange)
    said = _finding(target, "info", "meta_refresh", f"the page only sends browsers on to {location}")
    return replace(found, findings=(said, *found.findings), outcome="redirect")


def _redirected(target: Target, location: str, *, site: Site, exchange: Exchange) -> Discovery:
    followed = _lasting(target.url, location)
    found = _onwards(target, followed, site=site, exchange=exchange)
    if followed == location:
        return found
    said = _finding(target, "info", "session_id", "a session id taken off the address redirected to")
    return replace(found, findings=(said, *found.findings))


def _lasting(url: str, location: str) -> str:
    """The address to ask for where `url` sends on to `location`: a session id would make it another in every run. One
    that sends to itself with a session id wants it.
    """
    lasting = without_session_id(location)
    return location if lasting == _absolute(url, url) else lasting


def _onwards(target: Target, location: str, *, site: Site, exchange: Exchange) -> Discovery:
    parameters = _parameters(target)
    hops = int(parameters.get("redirects", 0)) + 1
    if hops > 1 and location == target.via:
        message = f"redirected to {location}, which redirects to here"
        return _only(_finding(target, "warning", "redirect_limit", message))
    if hops > MOST_REDIRECTS:
        return _only(_finding(target, "warning", "redirect_limit", f"more than {MOST_REDIRECTS} redirects"))
    if target.role in ("page", "attachment") and _is_farewell(target.url, location):
        message = f"redirected to {location}, where this host sends those who ask for what is gone"
        return _only(_finding(target, "warning", "redirect_to_home", message))
    keeps = exchange.status in KEEPS_METHOD
    following = replace(
        target,
        url=location,
        via=target.url,
        depth=target.depth + 1,
        method=target.method if keeps else "GET",
        body=target.body if keeps else b"",
        headers=target.headers if keeps else _without_form(target.headers),
        parameters=_as_json({**parameters, "redirects": hops}),
    )
    return _follow((following,), site, exchange)


def _guarded(target: Target, exchange: Exchange) -> Discovery | None:
    """What an answer that sends to its own address comes to, where it sets a cookie to be brought back there."""
    if not any(name.lower() == b"set-cookie" for name, _ in exchange.headers):
        return None
    name = self_redirect_guard(exchange.headers)
    message = f"sent to itself with a cookie: a guard that lets only browsers pass: {name}"
    return Discovery(findings=(_finding(target, "error", "challenge", message),), outcome="blocked")


def _is_farewell(url: str, location: str) -> bool:
    asked, given = urlsplit(url), urlsplit(location)
    return given.path != asked.path and not given.query and GONE_PATHS.fullmatch(given.path or "/") is not None


def _without_form(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers if name.lower() != "content-type")


def _list(target: Target, entity: bytes, *, site: Site, exchange: Exchange) -> Discovery:
    parameters = _parameters(target)
    state: Mapping[str, Any] = parameters.get("list", {})
    findings: list[Finding] = []
    name = str(parameters.get("platform", site.platform))
    if name == AUTO:
        known = recognise(entity, exchange.headers, target.url)
        if known is None:
            message = "expected a list page of a known platform, found none of their marks"
            return _only(_finding(target, "error", "platform_unknown", message))
        name, reason = known
        findings.append(_finding(target, "info", "platform_recognised", f"{name}: {reason}"))
    reading = platform(name).read_list(entity, url=target.url, parameters=state)
    findings.extend(_finding(target, trouble.level, trouble.code, trouble.message) for trouble in reading.troubles)
    if not state and not reading.entries and not reading.requests:
        message = "expected entries on the channel's list page, found none"
        findings.append(_finding(target, "error", "list_empty", message))
    entries = [(entry, absolute_url(target.url, entry.url)) for entry in reading.entries]
    listings = tuple(_listing(entry, url or entry.url, target) for entry, url in entries)
    garbled = sum("\ufffd" in entry.title or "\ufffd" in entry.url for entry in reading.entries)
    if garbled:
        message = f"{garbled} of {len(reading.entries)} entries hold bytes that are no characters"
        findings.append(_finding(target, "warning", "list_garbled", message))
    findings.extend(_session_ids(target, [entry.url for entry in reading.entries]))
    pages = _follow(tuple(_page_target(entry, url, target) for entry, url in entries if url), site, exchange)
    # How far into the list the page asked for lies, the first being 0.
    walked = int(parameters.get("walked", 0))
    requests = reading.requests[: max(0, site.limits.max_list_pages - walked - 1)]
    if len(requests) < len(reading.requests):
        message = f"the list goes on after {site.limits.max_list_pages} pages; see max_list_pages"
        findings += [_finding(target, "warning", code, message) for code in ("trap", "list_incomplete")]
    further = (_group_target(request, target, name, walked + n) for n, request in enumerate(requests, 1))
    groups = _follow(tuple(further), site, exchange)
    return Discovery(
        listings=listings,
        targets=pages.targets + groups.targets,
        findings=(*findings, *pages.findings, *groups.findings, *(_unwalked(target) for _ in groups.findings[:1])),
        declared_total=reading.total,
    )


def _unwalked(target: Target) -> Finding:
    message = "the list goes on where nothing may be fetched, so its further pages are missing"
    return _finding(target, "warning", "list_incomplete", message)


def _listing(entry: Entry, url: str, target: Target) -> Listing:
    return Listing(
        url=url,
        title=entry.title,
        listed_date=entry.date,
        channel=target.channel,
        site=target.site,
        position=entry.position,
    )


def _page_target(entry: Entry, url: str, target: Target) -> Target:
    """A listed address: a page, or an attachment where the list links to a file at once."""
    return Target(
        url=url,
        role="attachment" if _FILE_PATH.search(urlsplit(url).path) else "page",
        site=target.site,
        channel=target.channel,
        via=target.url,
        anchor=entry.title,
        listed_date=entry.date,
        depth=target.depth + 1,
    )


def _group_target(request: NextRequest, target: Target, name: str, walked: int) -> Target:
    return Target(
        url=request.url,
        role="list",
        site=target.site,
        channel=target.channel,
        method=request.method,
        body=request.body,
        headers=request.headers,
        via=target.url,
        depth=target.depth,
        parameters=_as_json({"platform": name, "list": request.parameters, "walked": walked}),
    )


def _page(target: Target, entity: bytes, *, site: Site, exchange: Exchange) -> Discovery:
    found: dict[str, Target] = {}
    links = read_links(entity, url=target.url)
    if not links:
        return Discovery()
    for link in links:
        url = absolute_url(target.url, link.url)
        if url is None:
            continue
        # The same file is often linked twice, by an icon and by its name: the fuller name counts.
        anchor = max(link.name or link.text, found[url].anchor if url in found else "", key=len)
        found[url] = Target(
            url=url,
            role="attachment",
            site=target.site,
            channel=target.channel,
            headers=(("Referer", target.url),),
            via=target.url,
            anchor=anchor,
            depth=target.depth + 1,
        )
    followed = _follow(tuple(found.values()), site, exchange)
    session_ids = _session_ids(target, [link.url for link in links])
    return replace(followed, findings=(*session_ids, *followed.findings))


def is_page_instead_of_file(target: Target, entity: bytes) -> bool:
    """True for an HTML page under the name of a file that never is one: a notice, an error, a form to log in."""
    is_named = _NEVER_A_PAGE.search(target.anchor.strip()) or _NEVER_A_PAGE.search(urlsplit(target.url).path)
    return target.role == "attachment" and is_named is not None and _PAGE_START.match(entity) is not None


def _session_ids(target: Target, addresses: list[str]) -> list[Finding]:
    found = (_absolute(target.url, address) for address in addresses)
    count = sum(url is not None and without_session_id(url) != url for url in found)
    message = f"session ids taken off {count} addresses"
    return [_finding(target, "info", "session_id", message)] if count else []


def _follow(targets: tuple[Target, ...], site: Site, exchange: Exchange) -> Discovery:
    """The targets that the site may fetch and that lead somewhere; a finding for each other."""
    within = tuple(target for target in targets if site.allows(target.url))
    traps = {target.url: because for target in within if (because := _trap(target, site, exchange))}
    allowed = tuple(target for target in within if target.url not in traps)
    caught = tuple(
        Finding(level="warning", code="trap", message=f"not followed: {because}", url=url)
        for url, because in traps.items()
    )
    refused = tuple(
        Finding(
            level="warning",
            code="host_not_allowed",
            message=f"not fetched: {_origin(target.url)} is neither a channel's host nor in allowed_hosts",
            url=target.url,
        )
        for target in targets
        if not site.allows(target.url)
    )
    return Discovery(targets=allowed, findings=(*refused, *caught))


def _trap(target: Target, site: Site, exchange: Exchange) -> str:
    if target.depth > site.limits.max_depth:
        return f"{target.depth} steps from the list; see max_depth"
    return trap(target.url, year=exchange.started_at.year)


def _only(finding: Finding) -> Discovery:
    return Discovery(findings=(finding,))


def _parameters(target: Target) -> dict[str, Any]:
    parameters: dict[str, Any] = json.loads(target.parameters) if target.parameters != "{}" else {}
    return parameters


def _as_json(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def absolute_url(base: str, address: str) -> str | None:
    """A link as it is requested, and so as it stands in every table; None when it is no address. No session ids."""
    found = _absolute(base, address)
    return without_session_id(found) if found is not None else None


def _absolute(base: str, address: str) -> str | None:
    if _PLAIN.fullmatch(address):
        return address
    try:
        return _bare(urljoin(base, address))
    except ValueError:
        return None


def _bare(url: str) -> str:
    """The address as it is requested: no fragment, no blanks, only ASCII. Raises ValueError when it is none."""
    return urldefrag(safe_url_string(quote(url.strip(), safe=_ADDRESS_CHARACTERS))).url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
