"""What the sites of a run ask for, host by host: how often, how many at once, which ports, whether private ones.

Where two sites share a host, the more careful value holds.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from crawler.site import Site
from crawler.wire.context import Permission


@dataclass(frozen=True, slots=True)
class Lane:
    """How one host is asked. `delay_seconds` is the least time between the starts of two requests."""

    delay_seconds: float
    concurrent_requests: int
    permission: Permission


def lanes(sites: Iterable[Site]) -> dict[str, Lane]:
    """Every host that the sites may fetch from, in lower case."""
    found: dict[str, Lane] = {}
    for site in sites:
        for host in site.hosts:
            lane = Lane(
                site.politeness.delay_seconds,
                site.politeness.concurrent_requests,
                Permission(host.ports, site.politeness.allow_private_hosts),
            )
            found[host.name] = _more_careful(found[host.name], lane) if host.name in found else lane
    return found


def _more_careful(one: Lane, other: Lane) -> Lane:
    return Lane(
        max(one.delay_seconds, other.delay_seconds),
        min(one.concurrent_requests, other.concurrent_requests),
        Permission(
            _ports(one.permission.ports, other.permission.ports), one.permission.private and other.permission.private
        ),
    )


def _ports(one: Container[int], other: Container[int]) -> Container[int]:
    """Those that either site names; that a site may fetch from all of them is for its private hosts only."""
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return one | other
    return one if isinstance(one, frozenset) else other
