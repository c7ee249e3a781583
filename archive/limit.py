"""The most pages that a run follows per site: the same pages when it crawls and when its WARC files are read again."""

from __future__ import annotations

from dataclasses import replace

from archive.model import Discovery


def within_limit(found: Discovery, followed: set[str], limit: int) -> Discovery:
    """`found` without the listed pages beyond the limit; what they lead to counts with them.

    `followed` holds the addresses that the run follows at the site so far; those kept are added.
    """
    kept = []
    for target in found.targets:
        if target.depth == 1 and target.role != "list":
            if target.url not in followed and len(followed) >= limit:
                continue
            followed.add(target.url)
        kept.append(target)
    return replace(found, targets=tuple(kept))
