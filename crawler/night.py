"""What there is to say about a run in the morning, as plain records, and the judgement on it: the alarms.

Numbers stand beside their usual value: the median of the last runs of the same kind that asked the same site. None
where there are too few of them to speak of a usual value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from crawler.alarm_words import phase_name, sentence
from crawler.breakdown import Breakdown

# How many earlier runs make what is usual, and the fewest that do.
USUAL_RUNS = 7
LEAST_USUAL_RUNS = 3

# Thresholds of the alarms, all of them.
FALLING_SHARE = 0.5  # of the usual entries
FALLING_LEAST = 4  # usual entries below which a fall says nothing
GONE_SHARE = 0.1  # of a site's known entries
GONE_LEAST = 5
BLOCKED_SHARE = 0.1  # of a site's requests
FAILED_SHARE = 0.2  # of a site's requests
FAILED_LEAST = 5
FAILED_TIMES_USUAL = 3
UNREADABLE_SHARE = 0.2  # of the documents read
UNREADABLE_LEAST = 5
LEAST_FREE_BYTES = 2 << 30
LEAST_NIGHTS_LEFT = 14

State = Literal["ok", "incomplete", "failed", "silent", "blocked", "not_asked"]
Usual = float | None


@dataclass(frozen=True, slots=True)
class Change:
    """One row of `changes`."""

    url: str
    kind: str
    site: str


@dataclass(frozen=True, slots=True)
class SiteNight:
    """One site's share. `listings` is entries read from its lists in this run, `known` those ever listed, `new` those
    never listed before; `changed`, `gone`, `moved` … count rows of `changes`. `unchanged_lists` is list pages that
    answered that they had not changed: their entries may not have been read again.

    `incomplete` says of channels that were not read whole why; `troubles` are the run's errors about the site.
    """

    site: str
    agency: str
    listings: int = 0
    known: int = 0
    new: int = 0
    changed: int = 0
    layout_changed: int = 0
    gone: int = 0
    reappeared: int = 0
    moved: int = 0
    requests: int = 0
    failed: int = 0
    blocked: int = 0
    refused: int = 0
    unreadable: int = 0
    unchanged_lists: int = 0
    incomplete: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    usual_listings: Usual = None
    usual_new: Usual = None
    usual_changed: Usual = None
    usual_gone: Usual = None
    usual_requests: Usual = None
    usual_failed: Usual = None

    @property
    def is_silent(self) -> bool:
        """It was asked, and nothing is listed. A list without a single known entry is no less silent for a 304."""
        return self.requests > 0 and self.listings == 0 and not (self.known and self.unchanged_lists)

    @property
    def state(self) -> State:
        if self.requests == 0 and not self.troubles:
            return "not_asked"
        if self.blocked:
            return "blocked"
        if self.is_silent:
            return "silent"
        if self.troubles:
            return "failed"
        return "incomplete" if self.incomplete else "ok"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document of this run that could not be read."""

    url: str
    site: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A rule of the form's own arithmetic that a report read in this run does not keep."""

    report_id: int
    agency: str
    report_year: int | None
    rule: str
    lhs: str
    rhs: str


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes. `night_warc` is this run's; `database_before` the size at the last report, None when there was none."""

    warc: int
    night_warc: int
    usual_night_warc: Usual
    database: int
    database_before: int | None
    index: int
    free: int
    disk: int

    @property
    def nights_left(self) -> float | None:
        """Nights until the disk is full if they go on like this; None when nothing grows."""
        database = max(0, self.database - self.database_before) if self.database_before is not None else 0
        warc = self.night_warc if self.usual_night_warc is None else self.usual_night_warc
        return self.free / (warc + database) if warc + database > 0 else None


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in the row of runs, for comparison."""

    run_id: str
    kind: str
    status: str
    started_at: str
    finished_at: str | None
    requests: int
    new_captures: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should look at. `site` is "" where it is about the whole run."""

    code: str
    site: str
    message: str
    message_zh: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A warning or an error of the run as a whole, in full: it belongs to no capture."""

    level: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reviews:
    """What no rule decides and nobody has yet: pairs of agencies that may be one, reports without an agency."""

    pairs: int = 0
    reports: int = 0


@dataclass(frozen=True, slots=True)
class Night:
    """A run and what came of it. `earlier` are the runs it is compared with, newest first; `findings` counts rows by
    level and code, `said` holds those about the run as a whole. `documents` is how many were read; `changes`,
    `unreadable` and `failed_checks` are cut to the first rows, their counts are whole. `broken`: why it broke off.
    `reviews` are those that wait now, whichever run found them. Changes of layout alone are only counted, apart.
    """

    run: RunLine
    sites: tuple[SiteNight, ...]
    change_count: int
    changes: tuple[Change, ...]
    documents: int
    unreadable_count: int
    unreadable: tuple[Unreadable, ...]
    failed_check_count: int
    failed_checks: tuple[FailedCheck, ...]
    findings: tuple[tuple[str, str, int], ...]
    growth: Growth
    earlier: tuple[RunLine, ...] = ()
    usual_requests: Usual = None
    usual_new_captures: Usual = None
    made_at: str = ""
    alarms: tuple[Alarm, ...] = ()
    said: tuple[Said, ...] = ()
    broken: Breakdown | None = None
    reviews: Reviews = Reviews()
    layout_change_count: int = 0

    def total(self, name: str) -> int:
        """The sum of one of the sites' numbers."""
        return sum(int(getattr(site, name)) for site in self.sites)


def alarms(night: Night) -> Iterator[Alarm]:
    """What a person should look at, the whole run first, then site by site."""
    broken = night.broken
    noted = [said for said in night.said if said.code == "run_broken"]
    if broken is not None:
        zh = phase_name(broken.phase)
        yield _alarm("run_broken", variant="now", phase=broken.phase, phase_zh=zh, what=broken.what, where=broken.where)
    elif noted:
        yield _alarm("run_broken", variant="noted", said=noted[0].message)
    elif night.run.status in ("failed", "interrupted"):
        yield _alarm("run_" + night.run.status)
    growth = night.growth
    if growth.free < LEAST_FREE_BYTES:
        yield _alarm("disk_low", variant="now", free=growth.free >> 20, least=LEAST_FREE_BYTES >> 20)
    elif growth.nights_left is not None and growth.nights_left < LEAST_NIGHTS_LEFT:
        yield _alarm("disk_low", variant="soon", nights=f"{growth.nights_left:.0f}")
    for said in night.said:
        if said.code == "notification_failed":
            yield _alarm("notification_failed", said=said.message)
    if night.unreadable_count >= max(UNREADABLE_LEAST, UNREADABLE_SHARE * night.documents):
        yield _alarm("many_unreadable", unreadable=night.unreadable_count, documents=night.documents)
    for site in night.sites:
        yield from _of_site(site)


def _alarm(code: str, site: str = "", *, variant: str = "", **values: object) -> Alarm:
    words = sentence(code, variant, **values)
    return Alarm(code, site, words.en, words.zh)


def _of_site(site: SiteNight) -> Iterator[Alarm]:
    name = site.site
    if site.is_silent and site.usual_listings is None:
        yield _alarm("zero_yield", name, variant="first", requests=site.requests)
    elif site.is_silent:
        yield _alarm("zero_yield", name, variant="unusual", requests=site.requests, usual=f"{site.usual_listings:g}")
    elif _has_fallen(site):
        yield _alarm("falling_yield", name, listings=site.listings, usual=f"{site.usual_listings:g}")
    if site.blocked and site.blocked >= BLOCKED_SHARE * site.requests:
        yield _alarm("blocked", name, blocked=site.blocked, requests=site.requests)
    if site.failed >= FAILED_LEAST and site.failed >= FAILED_SHARE * site.requests and _is_unusual(site):
        yield _alarm("many_failed", name, failed=site.failed, requests=site.requests)
    if site.gone >= max(GONE_LEAST, GONE_SHARE * site.known):
        yield _alarm("many_gone", name, gone=site.gone)
    for trouble in site.troubles:
        yield _alarm("site_failed", name, trouble=trouble)


def _has_fallen(site: SiteNight) -> bool:
    usual = site.usual_listings
    if usual is None or usual < FALLING_LEAST or site.unchanged_lists or not site.requests:
        return False
    return site.listings < FALLING_SHARE * usual


def _is_unusual(site: SiteNight) -> bool:
    return site.usual_failed is None or site.failed > FAILED_TIMES_USUAL * site.usual_failed
