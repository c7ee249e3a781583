"""Full-text search that finds two-character Chinese words: overlapping bigrams in contentless FTS5 tables.

SQLite's own tokenizers take a run of Han characters for one word, and dictionary segmentation loses words it cuts
otherwise. Text is normalised (NFKC, no spaces between Han characters), each Han run becomes its bigrams and its last
character: 信息公开 → 信息 息公 公开 开. A query becomes phrases of the same bigrams; a single character a prefix.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass

_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_SPACE_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}])\s+(?=[{_HAN}])")
_RUN = re.compile(rf"([{_HAN}]+)|([^\W_{_HAN}]+)")
SNIPPET_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Hit:
    """One found section of a current report or one current page. `rank` is bm25: smaller is better."""

    kind: str
    url: str
    title: str
    snippet: str
    capture_id: int
    report_id: int | None
    rank: float


def normalised(text: str) -> str:
    return _SPACE_BETWEEN_HAN.sub("", unicodedata.normalize("NFKC", text)).lower()


def bigrams(text: str) -> str:
    """`text` as space-separated index tokens."""
    tokens: list[str] = []
    for han, word in _RUN.findall(normalised(text)):
        tokens.extend(_han_tokens(han) if han else [word])
    return " ".join(tokens)


def query(text: str) -> str:
    """`text` as an FTS5 expression over bigrams: words between spaces must all occur; "" when nothing is left to look
    for.
    """
    phrases = (_phrase(word) for word in _words(text))
    return " AND ".join(phrase for phrase in phrases if phrase)


def _words(text: str) -> list[str]:
    """What was typed, word by word: here a space between Han characters parts two words."""
    return unicodedata.normalize("NFKC", text).lower().split()


def _han_tokens(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run))]


def _phrase(word: str) -> str:
    runs = _RUN.findall(word)
    tokens: list[str] = []
    for han, other in runs:
        tokens.extend(_han_tokens(han) if han else [other])
    if not tokens:
        return ""
    last_han = runs[-1][0]
    if not last_han:
        return f'"{" ".join(tokens)}"'
    if len(last_han) == 1:
        return f'"{" ".join(tokens)}"*'
    return f'"{" ".join(tokens[:-1])}"'


def snippet(text: str, looked_for: str, *, characters: int = SNIPPET_CHARACTERS) -> str:
    """The part of `text` around the first word of `looked_for` that occurs in it; its beginning when none does."""
    flat = _SPACE_BETWEEN_HAN.sub("", unicodedata.normalize("NFKC", text))
    lowered = flat.lower()
    places = [place for word in _words(looked_for) if (place := lowered.find(word)) >= 0]
    start = max(0, min(places, default=0) - characters // 2)
    end = start + characters * 2
    return ("…" if start else "") + " ".join(flat[start:end].split()) + ("…" if end < len(flat) else "")


def marked(text: str, looked_for: str) -> list[tuple[str, bool]]:
    """`text` in pieces, True where a word of `looked_for` stands; spaces between Han characters do not hide one."""
    words = sorted(set(_words(looked_for)), key=len, reverse=True)
    if not words:
        return [(text, False)]
    spelled = "|".join(r"\s*".join(map(re.escape, word)) for word in words)
    pieces = re.split(f"({spelled})", text, flags=re.IGNORECASE)
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]


_SEARCH = """
SELECT 'section' AS kind, d.document_url AS url, s.heading AS title, s.text AS text, v.capture_id, v.report_id, hit.rank
FROM (SELECT rowid, rank FROM sections_fts WHERE sections_fts MATCH :expression) hit
JOIN sections s ON s.section_id = hit.rowid
JOIN report_versions v ON v.reading_id = s.reading_id AND v.known_to IS NULL
JOIN report_documents d ON d.report_id = v.report_id
UNION ALL
SELECT 'page', p.url, ifnull(p.title, ''), p.text, p.capture_id, NULL, hit.rank
FROM (SELECT rowid, rank FROM pages_fts WHERE pages_fts MATCH :expression) hit
JOIN page_versions p ON p.page_version_id = hit.rowid AND p.known_to IS NULL
ORDER BY 7, 2 LIMIT :limit
"""


def search(connection: sqlite3.Connection, text: str, *, limit: int = 20) -> list[Hit]:
    """The best `limit` current sections and pages that hold every word of `text`."""
    expression = query(text)
    if not expression:
        return []
    rows = connection.execute(_SEARCH, {"expression": expression, "limit": limit}).fetchall()
    return [
        Hit(kind, url, title, snippet(found, text), capture_id, report_id, rank)
        for kind, url, title, found, capture_id, report_id, rank in rows
    ]


def index_section(connection: sqlite3.Connection, section_id: int, heading: str, text: str) -> None:
    connection.execute(
        "INSERT INTO sections_fts(rowid, heading, text) VALUES (?, ?, ?)", (section_id, bigrams(heading), bigrams(text))
    )


def index_page(connection: sqlite3.Connection, page_version_id: int, title: str, text: str) -> None:
    connection.execute(
        "INSERT INTO pages_fts(rowid, title, text) VALUES (?, ?, ?)", (page_version_id, bigrams(title), bigrams(text))
    )


def rebuild(connection: sqlite3.Connection) -> None:
    """Makes both indexes anew from `sections` and `page_versions`; the caller holds the transaction."""
    connection.execute("INSERT INTO sections_fts(sections_fts) VALUES ('delete-all')")
    connection.execute("INSERT INTO pages_fts(pages_fts) VALUES ('delete-all')")
    for section_id, heading, text in connection.execute("SELECT section_id, heading, text FROM sections").fetchall():
        index_section(connection, section_id, heading, text)
    pages = connection.execute("SELECT page_version_id, ifnull(title, ''), text FROM page_versions")
    for page_version_id, title, text in pages.fetchall():
        index_page(connection, page_version_id, title, text)
