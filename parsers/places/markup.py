"""A place in an HTML page: the page's own source, unchanged but for attributes and a style of ours at the place.

The tree says which element is meant, but not where in the source it begins. So every start tag gets a number in a copy,
the copy is read, and the number of the element found leads back to the source.
"""

from __future__ import annotations

import re
from hashlib import sha256

from lxml import etree

from parsers.decode import decode
from parsers.folded import unfolded
from parsers.model import Shown
from parsers.places.frame import ANCHOR, CELL_STYLE, ROW_STYLE
from parsers.readers import html

# Quotes count only where a value begins; possessive, so that no markup makes it go back and forth.
_TAG = re.compile(
    r"<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)\s*>"
    r"""|<([a-zA-Z][^\s/>]*+)(?:[^>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+|["'])*+>""",
    re.DOTALL | re.IGNORECASE,
)
# Whatever a page's own style hides around the place is shown: it was read, so it is there.
_STYLE = (
    f":has(#{ANCHOR}){{display:revert!important;visibility:visible!important;opacity:1!important;"
    "max-height:none!important}"
    f"[data-gongkai=row]>td,[data-gongkai=row]>th{{{ROW_STYLE}}}"
    f"#{ANCHOR}{{{CELL_STYLE};visibility:visible!important}}#{ANCHOR} *{{color:#111!important}}"
)


def marked(data: bytes, locator: str) -> Shown:
    """The page with the place marked. Raises UnreadableDocumentError as the HTML reader does."""
    text = decode(unfolded(data)).text
    place = _place(text, locator) if locator else None
    if place is None:
        return Shown("page", text, is_marked=False)
    cell, row = place
    insertions = [(cell.end(1), f' id="{ANCHOR}" data-gongkai="cell"'), (cell.end(), f"<style>{_STYLE}</style>")]
    if row is not None:
        insertions.append((row.end(1), ' data-gongkai="row"'))
    for at, what in sorted(insertions, reverse=True):
        text = text[:at] + what + text[at:]
    return Shown("page", text, is_marked=True)


def _place(text: str, locator: str) -> tuple[re.Match[str], re.Match[str] | None] | None:
    """The start tags of the element meant and of its row, in the source; None where it names nothing there."""
    tags = [tag for tag in _TAG.finditer(text) if tag[1]]
    # No page can have numbers of its own under a name that depends on the whole page.
    name = "gk" + sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    parts, at = [], 0
    for number, tag in enumerate(tags):
        parts += [text[at : tag.end(1)], f" {name}={number} "]
        at = tag.end(1)
    parts.append(text[at:])
    element = html.places("".join(parts)).get(locator)
    if element is None or (cell := _numbered(element, name)) is None:
        return None
    row = next((above for above in element.iterancestors("tr")), None) if element.tag in ("td", "th") else None
    line = _numbered(row, name) if row is not None else None
    return tags[cell], tags[line] if line is not None else None


def _numbered(element: etree._Element, name: str) -> int | None:
    number = element.get(name)
    return int(number) if number else None
