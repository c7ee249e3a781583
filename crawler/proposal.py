"""What one page says about the site it is from, written as a site file that is ready to be tried.

Pure: bytes and an address in, a proposal out. What the page does not say stands in the file as a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from crawler.discover import absolute_url
from crawler.platforms import Headers, ListReading, platform, recognise
from crawler.platforms.gkmlpt import categories, category_url
from crawler.platforms.markup import address, squeezed, tree
from parsers.decode import decode
from parsers.page import read_page

# The menu that 国办公开办函〔2019〕61号 gives every disclosure portal, by what its items are called; most whole first.
# Lists become channels; of the others there is one page each.
MENU: tuple[tuple[str, bool, re.Pattern[str]], ...] = (
    ("guide", False, re.compile(r"(?:政府)?信息公开指南|公开指南")),
    ("rules", False, re.compile(r"(?:政府)?信息公开制度|公开制度")),
    ("annual_report", True, re.compile(r"(?:政府)?信息公开(?:工作)?(?:年度报告|年报)|公开年报|年度报告|年报")),
    ("proactive_disclosure", True, re.compile(r"法定主动公开(?:内容|目录)?|主动公开(?:内容|目录)?")),
    ("on_request", False, re.compile(r"依申请公开")),
)
# No place in GB/T 2260 is meant by it; a site file needs six digits.
UNKNOWN_DIVISION = "100000"
_LONGEST_LABEL = 20
_SITE_CODE = re.compile(r"([1-9]\d{5})\d{4}")


@dataclass(frozen=True, slots=True)
class Channel:
    """A column found on the page. `label` is what the page calls it; `is_list` False where it is one page."""

    name: str
    label: str
    url: str
    is_list: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the page says. `platform` "" when no software was recognised; `listed` counts entries read from the page.

    `total` is the number that the site declares, None where this page does not; `goes_on` says that there are further
    pages; `hosts` are other hosts that entries lead to.
    """

    url: str
    platform: str = ""
    reason: str = ""
    agency: str = ""
    division_code: str = ""
    channels: tuple[Channel, ...] = ()
    listed: int = 0
    total: int | None = None
    goes_on: bool = False
    hosts: tuple[str, ...] = ()
    allow_private: bool = False


def propose(entity: bytes, url: str, headers: Headers = ()) -> Proposal:
    """A proposal from the bytes of one page. Never raises on bad bytes."""
    known = recognise(entity, headers, url)
    name, reason = known if known else ("", "none of the marks of a known platform, and no list with days")
    reading = platform(name).read_list(entity, url=url, parameters={}) if name else ListReading()
    page = read_page(entity, url=url, with_text=False)
    code = _SITE_CODE.fullmatch(page.site_code.value) if page.site_code else None
    found = tuple(_categories(entity, url) if name == "gkmlpt" else _menu(entity, url))
    if reading.entries or (reading.requests and name != "gkmlpt"):
        label = page.column_name.value if page.column_name else page.title.value if page.title else ""
        found = (Channel(_channel_name(label), label, url, is_list=True), *found)
    hosts = {urlsplit(entry.url).hostname or "" for entry in reading.entries} - {urlsplit(url).hostname or "", ""}
    return Proposal(
        url=url,
        platform=name,
        reason=reason,
        agency=page.site_name.value if page.site_name else "",
        division_code=code[1] if code else "",
        channels=_distinct(found),
        listed=len(reading.entries),
        total=reading.total,
        goes_on=bool(reading.requests),
        hosts=tuple(sorted(hosts)),
    )


def _menu(entity: bytes, url: str) -> Iterator[Channel]:
    """The items of the portal's menu; their texts are broken by `<br>` and blanks."""
    root = tree(decode(entity).text)
    for anchor in root.iter("a") if root is not None else ():
        label = "".join(f"{anchor.text_content()}".split()) or "".join(anchor.get("title", "").split())
        target = absolute_url(url, address(anchor)) if address(anchor) else None
        if target is None or not 0 < len(label) <= _LONGEST_LABEL:
            continue
        for name, is_list, called in MENU:
            if called.fullmatch(label):
                yield Channel(name, label, target, is_list)


def _categories(entity: bytes, url: str) -> Iterator[Channel]:
    for category, label in categories(entity):
        known = next(((name, is_list) for name, is_list, called in MENU if called.fullmatch(label)), None)
        name, is_list = known or (f"category_{category}", False)
        yield Channel(name, label, category_url(entity, url, category), is_list)


def _channel_name(label: str) -> str:
    text = "".join(label.split())
    return next((name for name, _, called in MENU if called.search(text)), "channel")


def _distinct(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Each address once, each name once: further ones of a name are numbered."""
    kept: dict[str, Channel] = {}
    names: set[str] = set()
    for channel in channels:
        if channel.url in kept:
            continue
        name, number = channel.name, 1
        while name in names:
            number += 1
            name = f"{channel.name}_{number}"
        names.add(name)
        kept[channel.url] = replace(channel, name=name)
    return tuple(kept.values())


def site_text(proposal: Proposal) -> str:
    """The proposal as a site file: `gongkai sites check` accepts it, and its comments say what is not certain."""
    return "\n".join((*_head(proposal), *_channels(proposal), *_tail(proposal))) + "\n"


def _head(proposal: Proposal) -> Iterator[str]:
    yield f"# proposed from {proposal.url}"
    yield f"# platform: {proposal.platform or 'unknown'} ({proposal.reason})"
    if proposal.listed or proposal.goes_on:
        declared = "no total declared here" if proposal.total is None else f"the site declares {proposal.total}"
        further = "further pages follow" if proposal.goes_on else "no further pages"
        yield f"# list: {proposal.listed} entries on this page, {declared}, {further}"
    found = "、".join(_shown(channel.label) for channel in proposal.channels) or "none"
    yield f"# channels found: {found}"
    yield ""
    comment = "" if proposal.agency else "  # not said on the page"
    yield f"agency = {_quoted(proposal.agency or urlsplit(proposal.url).hostname or 'unknown')}{comment}"
    comment = "  # from SiteIDCode" if proposal.division_code else "  # not said on the page: six digits of GB/T 2260"
    yield f"division_code = {_quoted(proposal.division_code or UNKNOWN_DIVISION)}{comment}"
    yield f'platform = "auto"{"" if proposal.platform else "  # nothing recognised: such a list is not read"}'
    comment = f"  # entries also lead to {', '.join(proposal.hosts)}" if proposal.hosts else ""
    yield f"allowed_hosts = []{comment}"


def _channels(proposal: Proposal) -> Iterator[str]:
    lists = [channel for channel in proposal.channels if channel.is_list]
    if not lists:
        yield "enabled = false"
        yield 'disabled_because = "the page that was looked at names no list"'
    yield ""
    yield "[channels]"
    for channel in proposal.channels:
        note = _shown(channel.label) if channel.is_list else f"{_shown(channel.label)}: not tried as a list"
        yield f"{'' if channel.is_list else '# '}{channel.name} = {_quoted(channel.url)}{f'  # {note}' if note else ''}"


def _tail(proposal: Proposal) -> Iterator[str]:
    yield ""
    yield "[politeness]"
    yield "delay_seconds = 2.0"
    if proposal.allow_private:
        yield "allow_private_hosts = true"


def _shown(text: str) -> str:
    """Text as it may stand in a comment: one line, without control characters."""
    return "".join(sign for sign in squeezed(text) if sign.isprintable())


def _quoted(text: str) -> str:
    """A TOML basic string, which JSON's strings are."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
