"""The search page: sections of reports and pages that hold every word, best first, with the words marked.

Words of two Chinese characters are found (archive/search.py); ranks are bm25 over the bigrams, a heading counts thrice.
"""

from __future__ import annotations

from typing import Any

from datasette import Response

from archive import search
from archive.browse.codebook import DATABASE
from archive.browse.overview import division_names
from archive.browse.queries import RowDict, first_row, rows
from archive.browse.rendering import chosen, division_of, page_of, shown, typed, year_of

HITS_A_PAGE = 20
MOST_PAGES = 20
HEADING_WEIGHT = 3.0
SNIPPET = 110
EXAMPLES = ("依申请公开", "解读", "回应关切", "行政复议", "存在的主要问题")

SECTIONS = f"""
SELECT s.report_id, s.position, s.heading, s.text, r.title, r.agency, r.agency_id, r.agency_name, r.report_year,
    r.document_url AS url, r.capture_id, bm25(sections_fts, {HEADING_WEIGHT}, 1.0) AS rank
FROM sections_fts
JOIN report_sections s ON s.section_id = sections_fts.rowid
JOIN reports r ON r.report_id = s.report_id
WHERE sections_fts MATCH :expression AND r.copy_of IS NULL AND (:year IS NULL OR r.report_year = :year)
    AND (:division = '' OR ifnull(r.division_code, '') = :division)
ORDER BY rank, s.section_id LIMIT :size OFFSET :skip
"""  # noqa: S608  our own text
SECTION_COUNT = """
SELECT count(*) AS hits, count(DISTINCT s.report_id) AS reports
FROM sections_fts
JOIN report_sections s ON s.section_id = sections_fts.rowid
JOIN reports r ON r.report_id = s.report_id
WHERE sections_fts MATCH :expression AND r.copy_of IS NULL AND (:year IS NULL OR r.report_year = :year)
    AND (:division = '' OR ifnull(r.division_code, '') = :division)
"""
PAGES = f"""
SELECT p.url, p.title, p.text, p.published_date, p.site, p.channel, p.capture_id,
    bm25(pages_fts, {HEADING_WEIGHT}, 1.0) AS rank
FROM pages_fts JOIN pages p ON p.page_version_id = pages_fts.rowid
WHERE pages_fts MATCH :expression
ORDER BY rank, p.page_version_id LIMIT :size OFFSET :skip
"""  # noqa: S608  our own text
PAGE_COUNT = """
SELECT count(*) AS hits FROM pages_fts JOIN pages p ON p.page_version_id = pages_fts.rowid
WHERE pages_fts MATCH :expression
"""
YEARS = "SELECT DISTINCT report_year FROM coverage ORDER BY report_year DESC"


async def search_page(datasette: Any, request: Any) -> Response:
    """What was found; with nothing asked for, how to ask."""
    database = datasette.get_database(DATABASE)
    looked_for, kind = typed(request, "q"), chosen(request, "kind", ("sections", "pages")) or "sections"
    page = min(page_of(request), MOST_PAGES)
    expression = search.query(looked_for)
    context: RowDict = {
        "q": looked_for,
        "kind": kind,
        "page": page,
        "year": year_of(request),
        "division": division_of(request),
        "years": [row["report_year"] for row in await rows(database, YEARS)],
        "names": await division_names(database),
        "examples": EXAMPLES,
        "hits": [],
        "counts": {"sections": 0, "pages": 0},
        "reports": 0,
    }
    if expression:
        asked = {"expression": expression, "year": context["year"], "division": context["division"]}
        sections = await first_row(database, SECTION_COUNT, **asked)
        pages = await first_row(database, PAGE_COUNT, expression=expression)
        context["counts"] = {"sections": sections["hits"] if sections else 0, "pages": pages["hits"] if pages else 0}
        context["reports"] = sections["reports"] if sections else 0
        place = {"size": HITS_A_PAGE, "skip": (page - 1) * HITS_A_PAGE}
        hits = (
            await rows(database, SECTIONS, **asked, **place)
            if kind == "sections"
            else await rows(database, PAGES, expression=expression, **place)
        )
        for hit in hits:
            hit["marked_title"] = search.marked(hit.get("heading") or hit["title"] or "", looked_for)
            snippet = search.snippet(hit["text"], looked_for, characters=SNIPPET)
            hit["marked"] = search.marked(snippet, looked_for)
        context["hits"] = hits
        context["has_more"] = page < MOST_PAGES and context["counts"][kind] > page * HITS_A_PAGE
    return await shown(datasette, request, "search", context)
