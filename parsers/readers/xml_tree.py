"""XML of documents to trees: entities and DTDs are not followed, the network is not asked."""

from __future__ import annotations

from lxml import etree

from parsers.decode import decode
from parsers.errors import UnreadableDocumentError


def xml_tree(content: bytes, what: str, *, encoding: str | None = None) -> etree._Element:
    """The root of XML in `encoding`, or the one it declares itself. `what` it is, for the message.

    Raises UnreadableDocumentError: `damaged` (cut or broken), `too_complex` (nested without end).
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        encoding=encoding,
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        code = "too_complex" if "Excessive depth" in str(error) else "damaged"
        raise UnreadableDocumentError(code, f"{what} is no readable XML: {error}") from error


def flat_tree(data: bytes, what: str) -> etree._Element:
    """The root of a file that is one XML document, in whatever encoding it is. Raises as `xml_tree` does.

    Programs that fill templates in write GBK under a declaration of UTF-8, and GBK's own characters under GB2312's.
    """
    return xml_tree(decode(data).text.encode(), what, encoding="utf-8")
