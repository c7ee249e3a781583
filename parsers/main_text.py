"""The text of an article without the page around it.

trafilatura finds it on most pages. Where it finds nothing, or something else than the box in which a known product puts
its articles, the box is right: a page that is only an attachment link must not be given its navigation as text.
"""

from __future__ import annotations

import logging
import re

import trafilatura
from lxml import etree, html

from parsers.decode import decode
from parsers.spacing import squeeze, tidy
from parsers.vocabulary import page_words

# trafilatura takes seconds for a page of this many characters; no article page we know comes near.
LONGEST_PAGE = 3_000_000
# Shares of the box's text below and above which trafilatura has read something else than the article.
_LEAST_SHARE, _GREATEST_SHARE = 0.6, 2.0


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BREAKING = _tags(
    "address article blockquote br center dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li "
    "main nav ol p pre section table tbody tfoot thead tr ul ucapcontent"
)
_CELLS = _tags("td th")
_SILENT = _tags("script style noscript template head title select textarea iframe object")
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|<\?xml[^>]*\?>")

# It reports every odd page as an error of its own; what matters here is whether text came back.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


def main_text(data: bytes, *, url: str = "") -> str:
    """The article's text, one line per paragraph and table row; "" where the page has none. Never raises."""
    root = _tree(decode(data).text)
    if root is None:
        return ""
    _drop_noise(root)
    box = _body_box(root)
    boxed = _text_of(box) if box is not None else ""
    extracted = _lines(_extracted(root, url))
    if box is None:
        return extracted
    share = len(squeeze(extracted)) / max(1, len(squeeze(boxed)))
    return extracted if _LEAST_SHARE <= share <= _GREATEST_SHARE else boxed


def _tree(text: str) -> html.HtmlElement | None:
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return html.document_fromstring(_UNSAFE.sub("", text).encode("utf-8", "replace"), parser)
    except etree.ParserError:
        return None


def _extracted(root: html.HtmlElement, url: str) -> str:
    if len(root.text_content()) > LONGEST_PAGE:
        return ""
    return trafilatura.extract(root, url=url or None, favor_recall=True, include_comments=False) or ""


def _drop_noise(root: html.HtmlElement) -> None:
    words = page_words()
    for element in list(root.iter(etree.Element)):
        identifier = element.get("id") or ""
        is_noise = (
            identifier in words.noise_ids
            or identifier.startswith(words.noise_id_starts)
            or not words.noise_classes.isdisjoint((element.get("class") or "").split())
        )
        if is_noise and element.getparent() is not None:
            element.drop_tree()


def _body_box(root: html.HtmlElement) -> html.HtmlElement | None:
    """The box of the best known kind; of several of one kind the one that holds most."""
    ranks = page_words().body_ranks
    best: html.HtmlElement | None = None
    best_key = (len(ranks), 0)
    for element in root.iter(etree.Element):
        names = (element.tag, element.get("id"), *(element.get("class") or "").split())
        rank = min(ranks.get(str(name), len(ranks)) for name in names)
        if rank < len(ranks) and rank <= best_key[0]:
            best, best_key = min(
                (best, best_key), (element, (rank, -len(element.text_content()))), key=lambda one: one[1]
            )
    return best


def _text_of(box: html.HtmlElement) -> str:
    parts: list[str] = []
    walk = etree.iterwalk(box, events=("start", "end"))
    for event, element in walk:
        if event == "start" and element.tag in _SILENT:
            walk.skip_subtree()
            continue
        if element.tag in _BREAKING:
            parts.append("\n")
        elif element.tag in _CELLS:
            parts.append("\t")
        text = element.text if event == "start" else element.tail if element is not box else None
        parts.append((text or "").replace("\n", " "))
    return _lines("".join(parts))


def _lines(text: str) -> str:
    lines = (tidy(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
