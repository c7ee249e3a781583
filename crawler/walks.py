"""What only all of a channel's list pages together say: how many are asked for in all, and which is another one again.

Chains that branch are bounded together, not one by one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archive.model import Discovery, Finding, Target
from crawler.platforms import UNCOUNTED
from crawler.site import Site

# What tells two requests for list pages apart.
_Page = tuple[str, str, bytes]


class ListWalks:
    """The list pages that were asked for since a channel's own page was last read, which every run does first.

    Reading the archive again meets the same pages in the same order, and so leaves out the same ones.
    """

    def __init__(self) -> None:
        # By channel: how far into the list each page lies, the first being 0.
        self._asked: dict[tuple[str, str], dict[_Page, int]] = {}
        # By channel: which page had an entry first.
        self._shown: dict[tuple[str, str], dict[str, _Page]] = {}

    def within(self, target: Target, found: Discovery, site: Site) -> Discovery:
        """What a list page leads to, without list pages beyond the site's `max_list_pages`, and a finding for those."""
        parameters = json.loads(target.parameters)
        if "walked" not in parameters:
            self._asked.pop((target.site, target.channel), None)
            self._shown.pop((target.site, target.channel), None)
        found = self._unrepeated(target, found, parameters.get("list", {}))
        if not any(following.role == "list" for following in found.targets):
            return found
        asked = self._asked.setdefault((target.site, target.channel), {_page(target): 0})
        found = _onwards(target, found, asked)
        kept = tuple(following for following in found.targets if self._is_within(following, asked, site))
        if len(kept) == len(found.targets):
            return found
        message = f"the channel's lists go on after {site.limits.max_list_pages} pages in all; see max_list_pages"
        said = tuple(Finding("warning", code, message, target.url) for code in ("trap", "list_incomplete"))
        return replace(found, targets=kept, findings=(*found.findings, *said))

    def _unrepeated(self, target: Target, found: Discovery, walk: Mapping[str, Any]) -> Discovery:
        """With a finding where the page is one that was read before, and no number of entries would tell.

        A walk itself compares with the first page and the one before only.
        """
        shown, page = self._shown.setdefault((target.site, target.channel), {}), _page(target)
        first_on = [shown.setdefault(listing.url, page) for listing in found.listings]
        is_told = walk.get("total") is not None or not walk.get("pages")
        if is_told or not first_on or page in first_on:
            return found
        message = f"page {walk.get('page')} holds nothing but entries of earlier pages"
        return replace(found, findings=(*found.findings, Finding("warning", "list_repeated", message, target.url)))

    def _is_within(self, following: Target, asked: dict[_Page, int], site: Site) -> bool:
        if following.role != "list" or _page(following) in asked:
            return True
        if len(asked) >= site.limits.max_list_pages:
            return False
        asked[_page(following)] = _walked(following)
        return True


def _onwards(target: Target, found: Discovery, asked: Mapping[_Page, int]) -> Discovery:
    """Without ways on that lead back to a page that was asked for, the page's own included: the list has ended there.

    A page that is asked for again after a failed attempt lies as far into the list as it did.
    """
    kept = tuple(f for f in found.targets if f.role != "list" or _walked(f) <= asked.get(_page(f), _walked(f)))
    back = next((f for f in found.targets if f not in kept), None)
    if back is None:
        return found
    walk = json.loads(back.parameters).get("list", {})
    if walk.get("total") is None and not walk.get("pages"):
        end = Finding("info", UNCOUNTED.code, UNCOUNTED.message, target.url)
    else:
        message = f"the way on leads back to {back.url}, before all was read that the list declares"
        end = Finding("warning", "list_incomplete", message, target.url)
    return replace(found, targets=kept, findings=(*found.findings, end))


def _walked(target: Target) -> int:
    return int(json.loads(target.parameters).get("walked", 0))


def _page(target: Target) -> _Page:
    return target.method, target.url, target.body
