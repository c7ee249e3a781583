"""Links to downloadable files, wherever they stand on a page, each once and under the name a person would see.

File lists often stand outside the body box (VSB), the same file is linked by an icon and by its name, and the address
may hold no extension (download.jsp) or a machine's name (Hanweb's hex, TRS's P0…) beside the real one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urldefrag, urlencode, urljoin, urlsplit, urlunsplit

from lxml import etree

from parsers.decode import decode
from parsers.model import Finding, Link
from parsers.spacing import tidy
from parsers.tree import body_box, body_rank, spaced_text
from parsers.vocabulary import AttachmentWords, page_words

_ATTRIBUTES = {
    "a": "href",
    "area": "href",
    "iframe": "src",
    "frame": "src",
    "embed": "src",
    "object": "data",
    "img": "src",
}
_DROPPED_SCHEMES = ("javascript:", "mailto:", "data:", "tel:", "about:", "blob:", "file:")
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp;)+")
_IN_URL_BLANK = re.compile(r"[\t\r\n]")
_LABEL_BEFORE_NAME = re.compile(r"^附件\s*[\d一二三四五六七八九十]*\s*[：:]\s*")
_QUOTES = "【】《》[]“”\"' "
# What a page may put into a path or query as it stands: everything reserved, and % of what is encoded already.
_SAFE_PATH = "/%:@!$&'()*+,;=~-._"
_SAFE_QUERY = _SAFE_PATH + "?"
_PLAIN_BASE = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[A-Za-z0-9/._~?=&-]*")
_SUFFIX = re.compile(r"\.([A-Za-z0-9]{1,5})$")


@dataclass(frozen=True, slots=True)
class _Named:
    """A name and how sure it is the one a person sees: 3 given for showing, 2 in the text, 1 of the address, 0 none."""

    name: str
    rank: int


def attachments(root: etree._Element, *, base: str, encoding: str) -> tuple[tuple[Link, ...], tuple[Finding, ...]]:
    """Every file linked from a page, in the page's order, and a finding for each address that cannot be one.

    `base` is what relative addresses are resolved against; `encoding` that of the page, which browsers use for queries.
    """
    found: dict[str, tuple[Link, int]] = {}
    findings: list[Finding] = []
    has_plain_base = _is_plain_base(base)
    for element in root.iter(*_ATTRIBUTES):
        if has_plain_base and _is_plain_page(element.get(_ATTRIBUTES[element.tag], "")):
            continue
        try:
            pairs = list(_links(element, root, base, encoding))
        except ValueError as error:
            address = element.get(_ATTRIBUTES[element.tag], "")
            findings.append(Finding("bad_link", f"{address!r} is no address: {error}"))
            continue
        for link, rank in pairs:
            key = _identity(link.url)
            known = found.get(key)
            if known is None:
                found[key] = (link, rank)
            elif rank > known[1]:
                found[key] = (Link(known[0].url, link.text or known[0].text, link.name), rank)
            elif link.text and not known[0].text:
                found[key] = (Link(known[0].url, link.text, known[0].name), known[1])
    return tuple(link for link, _ in found.values()), tuple(findings)


def page_base(root: etree._Element, url: str) -> str:
    """What a page's relative addresses are resolved against: its <base>, else its own address."""
    for element in root.iter("base"):
        address = element.get("href", "").strip()
        if address:
            return urljoin(url, str(address))
    return url


@lru_cache(maxsize=8192)
def _is_plain_page(address: str) -> bool:
    """The address, whatever its link says, leads to a page of no endpoint: what most links of most pages do.

    Said of addresses so plain that they need not be taken apart, beside a plain base.
    """
    return _plain_page().fullmatch(address) is not None and not _endpoint_pieces().search(address.lower())


def _is_plain_base(base: str) -> bool:
    """Addresses can be joined to it, and it adds no part of an endpoint to them."""
    return _PLAIN_BASE.fullmatch(base) is not None and not _endpoint_pieces().search(base.lower())


@cache
def _plain_page() -> re.Pattern[str]:
    pages = "|".join(page_words().attachments.page_extensions)
    host = r"(?:https?:)?//[A-Z0-9.-]+(?::[0-9]{1,5})?/"
    return re.compile(rf"(?:{host}|/)?(?:[A-Z0-9._~-][A-Z0-9/._~-]*)?\.(?:{pages})", re.IGNORECASE | re.ASCII)


@cache
def _endpoint_pieces() -> re.Pattern[str]:
    """The longest piece of each endpoint that no joining of addresses can break up."""
    pieces = (max(endpoint.split("/"), key=len) for endpoint in page_words().attachments.endpoints)
    return re.compile("|".join(map(re.escape, pieces)))


def _links(element: etree._Element, root: etree._Element, base: str, encoding: str) -> Iterator[tuple[Link, int]]:
    address = _clean(element.get(_ATTRIBUTES[element.tag], ""))
    if not address or address.startswith("#") or address.lower().startswith(_DROPPED_SCHEMES):
        return
    url = _absolute(base, address, encoding)
    if urlsplit(url).scheme not in ("", "http", "https"):
        return
    url = _inside_viewer(url, encoding) or url
    text = spaced_text(element) if element.tag == "a" else ""
    is_image = element.tag == "img" or _extension(urlsplit(url).path) in page_words().attachments.image_extensions
    if is_image and not _is_attached_image(element, url, text, root):
        return
    titles = [text, *(tidy(element.get(name, "")) for name in ("download", "title", "alt"))]
    if not is_image and not _is_file(url, titles):
        return
    named = _name(url, titles)
    yield Link(url, text or next(filter(None, titles), ""), named.name), named.rank


def _clean(address: str) -> str:
    """Repairs addresses as browsers do: blanks at the ends, line breaks inside, back slashes; and `&amp;amp;`."""
    address = _IN_URL_BLANK.sub("", address.strip())
    return _ESCAPED_AMPERSAND.sub("&", address).replace("\\", "/")


def _absolute(base: str, address: str, encoding: str) -> str:
    """The address as a browser would ask for it: absolute, ASCII; paths in UTF-8, queries in the page's encoding."""
    url, _ = urldefrag(urljoin(base, address))
    parts = urlsplit(url)
    path = quote(parts.path, safe=_SAFE_PATH)
    query = quote(parts.query, safe=_SAFE_QUERY, encoding=encoding, errors="xmlcharrefreplace")
    return urlunsplit(parts._replace(path=path, query=query))


def _inside_viewer(url: str, encoding: str) -> str:
    """The file that an embedded viewer page shows (viewer.html?file=…), "" when `url` is no viewer."""
    words = page_words().attachments
    parts = urlsplit(url)
    path = parts.path.lower()
    if not any(viewer in path for viewer in words.viewers):
        return ""
    for name, value in _parameters(parts.query):
        if name.lower() in words.viewer_parameters and value and _is_file_name(urlsplit(value).path, words):
            return _absolute(url, _clean(value), encoding)
    return ""


def _is_attached_image(element: etree._Element, url: str, text: str, root: etree._Element) -> bool:
    words = page_words().attachments
    if any(part in url.lower() for part in words.icon_parts):
        return False
    shown = text + element.get("alt", "") + element.get("title", "")
    return any(word in shown for word in words.words) or _is_in_body(element, root)


def _is_in_body(element: etree._Element, root: etree._Element) -> bool:
    """Asks for the body box only where there is something that may be it."""
    around = list(element.iterancestors())
    if all(body_rank(ancestor) == len(page_words().body_ranks) for ancestor in around):
        return False
    return body_box(root) in around


def _is_file(url: str, titles: list[str]) -> bool:
    words = page_words().attachments
    parts = urlsplit(url)
    path = parts.path.lower()
    if any(endpoint in path for endpoint in words.endpoints):
        return True
    if _extension(path) in words.extensions:
        return True
    if _extension(path) in words.page_extensions:
        return False
    if any(_is_file_name(value, words) for _, value in _parameters(parts.query)):
        return True
    return any(_is_file_name(title, words) for title in titles)


def _name(url: str, titles: list[str]) -> _Named:
    words = page_words().attachments
    parts = urlsplit(url)
    parameters = {name.lower(): value for name, value in _parameters(parts.query)}
    shown = parameters.get("showname", "")
    if _is_file_name(shown, words):
        return _Named(shown, 3)
    for title in titles:
        name = _LABEL_BEFORE_NAME.sub("", _file_name_in(title, words).strip(_QUOTES))
        if name:
            return _Named(name, 2)
    own = decode(unquote_to_bytes(parts.path.rsplit("/", 1)[-1])).text
    for name in (own, *(parameters.get(parameter, "") for parameter in words.name_parameters)):
        if _is_file_name(name, words) or _extension(name) in words.image_extensions:
            return _Named(tidy(name.rsplit("/", 1)[-1]), 1)
    return _Named(next(filter(None, titles), ""), 0)


def _file_name_in(title: str, words: AttachmentWords) -> str:
    """The file name a text begins with, up to its extension: `2021年报.pdf（1.2MB）` → `2021年报.pdf`; "" for none."""
    spelled = "|".join(sorted(words.extensions | words.image_extensions, key=lambda ext: (-len(ext), ext)))
    match = re.match(rf"(.*?\S\.(?:{spelled}))(?![A-Za-z0-9])", title, re.IGNORECASE)
    return match[1] if match else ""


def _is_file_name(text: str, words: AttachmentWords) -> bool:
    return _extension(text.strip(_QUOTES)) in words.extensions


def _extension(text: str) -> str:
    match = _SUFFIX.search(text)
    return match[1].lower() if match else ""


def _parameters(query: str) -> list[tuple[str, str]]:
    """Query parameters; values decoded from UTF-8 or GBK percent-encoding, twice where a site encoded them twice."""
    return [(name, _unquoted(_unquoted(value))) for name, value in parse_qsl(query, encoding="latin-1")]


def _unquoted(value: str) -> str:
    """A value of latin-1 characters (bytes), or still percent-encoded, as text."""
    if value.isascii() and "%" not in value:
        return value
    try:
        data = value.encode("latin-1")
    except UnicodeEncodeError:
        return value
    return decode(unquote_to_bytes(data)).text


def _identity(url: str) -> str:
    """What two links to one file share: the address without http/https and without parameters that only name it."""
    idle = page_words().attachments.idle_parameters
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, encoding="latin-1") if name.lower() not in idle]
    return urlunsplit(parts._replace(scheme="", query=urlencode(query, encoding="latin-1")))
