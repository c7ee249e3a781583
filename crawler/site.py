"""Site files: what is known about one agency's site, as data.

A bundled file's path is its name: `sites/harbin/nangang.toml` is the site `harbin_nangang`. Loading is strict, because
a mistyped key would otherwise be a silent default: a delay that is not kept, a host that is not fetched.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crawler.exceptions import SiteFileError, UnknownSiteError
from crawler.platforms import PLATFORM_NAMES

SITES_FOLDER = Path(__file__).parent / "sites"
HISTORY_CHANNEL = "annual_report_history"
AUTO = "auto"

# 《政府信息公开条例》 is in force since 2008; the oldest reports served are for that year.
FIRST_POSSIBLE_YEAR = 2008
LAST_POSSIBLE_YEAR = 2100
DEFAULT_PORTS = {"http": 80, "https": 443}
ANY_PORT = range(1, 65536)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HOST = re.compile(r"(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of the day in which a site may be crawled; they may go past midnight. `end` is not among them."""

    start: time
    end: time
    time_zone: str

    def is_open(self, at: datetime) -> bool:
        """`at` is an instant with a time zone, whichever."""
        local = at.astimezone(ZoneInfo(self.time_zone)).time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.time_zone}"


@dataclass(frozen=True, slots=True)
class Politeness:
    """How gently a site is asked. `delay_seconds` is the least time between two requests to one host."""

    delay_seconds: float = 2.0
    concurrent_requests: int = 1
    obey_robots: bool = True
    allow_private_hosts: bool = False
    window: Window | None = None
    probe_missing: bool = True

    def is_open(self, at: datetime) -> bool:
        """True when the site may be crawled at the instant."""
        return self.window is None or self.window.is_open(at)


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a walk ends that would not end by itself; what lies beyond is a finding each time."""

    max_list_pages: int = 2000
    max_depth: int = 10


@dataclass(frozen=True, slots=True)
class Render:
    """Channels whose list pages a browser draws, and how long it may take over one."""

    channels: tuple[str, ...] = ()
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class ReportHistory:
    """An address that answers with the agency's own annual report of the year put for `{year}`."""

    url: str
    first_year: int
    last_year: int

    def urls(self) -> tuple[tuple[int, str], ...]:
        """Year and address, newest first."""
        years = range(self.last_year, self.first_year - 1, -1)
        return tuple((year, self.url.replace("{year}", str(year))) for year in years)


@dataclass(frozen=True, slots=True)
class Host:
    """A host that may be fetched, as addresses spell it in lower case, and the ports on which it may."""

    name: str
    ports: Container[int]


@dataclass(frozen=True, slots=True)
class Site:
    """One declared site. `channels` and `expect` are (name, value) pairs in the file's order; `text` is the file.

    Nights ask every known page again within `recheck_days`; None leaves it to the run.
    """

    name: str
    agency: str
    division_code: str
    channels: tuple[tuple[str, str], ...]
    platform: str = AUTO
    hosts: tuple[Host, ...] = ()
    enabled: bool = True
    disabled_because: str = ""
    politeness: Politeness = Politeness()
    expect: tuple[tuple[str, int], ...] = ()
    history: ReportHistory | None = None
    text: str = ""
    limits: Limits = Limits()
    recheck_days: int | None = None
    render: Render = Render()

    def allows(self, url: str) -> bool:
        """True when the address is http or https on a host and port of this site."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return False
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            return False
        return (port or DEFAULT_PORTS[parts.scheme]) in self.ports_of(parts.hostname)

    def ports_of(self, host: str) -> Container[int]:
        """The ports on which a host may be fetched; none for a host that is not this site's."""
        return next((known.ports for known in self.hosts if known.name == host), ())


def bundled_sites() -> tuple[Site, ...]:
    """Every site file shipped in `crawler/sites`, by name."""
    paths = sorted(SITES_FOLDER.glob("*/*.toml"))
    return tuple(_read(path, f"{path.parent.name}_{path.stem}") for path in paths)


def bundled_site(name: str) -> Site:
    """One bundled site; raises `UnknownSiteError` with the known names."""
    sites = {site.name: site for site in bundled_sites()}
    if name not in sites:
        raise UnknownSiteError(f"unknown site {name!r}; known sites: {', '.join(sites)}")
    return sites[name]


def load_site(path: Path | str) -> Site:
    """A site file from anywhere; its name is the file's stem. Raises `SiteFileError`."""
    path = Path(path)
    if path.resolve().parent.parent == SITES_FOLDER.resolve():
        return _read(path, f"{path.resolve().parent.name}_{path.stem}")
    return _read(path, path.stem)


def parse_site(text: str, *, name: str, source: str) -> Site:
    """A site from the text of its file; `source` is what errors call the file. Raises `SiteFileError`."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SiteFileError(f"{source}: not valid TOML: {error}") from error
    return _SiteReader(source).site(content, name=name, text=text)


def _read(path: Path, name: str) -> Site:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SiteFileError(f"{path}: not valid UTF-8: {error}") from error
    except OSError as error:
        raise SiteFileError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_site(text, name=name, source=str(path))


TOP_KEYS = (
    "agency",
    "division_code",
    "platform",
    "allowed_hosts",
    "enabled",
    "disabled_because",
    "channels",
    "politeness",
    "limits",
    "recheck",
    "render",
    "expect",
    HISTORY_CHANNEL,
)
POLITENESS_KEYS = (
    "delay_seconds",
    "concurrent_requests",
    "obey_robots",
    "allow_private_hosts",
    "window",
    "time_zone",
    "probe_missing",
)
LIMITS_KEYS = ("max_list_pages", "max_depth")
RECHECK_KEYS = ("days",)
RENDER_KEYS = ("channels", "seconds")
DEFAULT_TIME_ZONE = "Asia/Shanghai"
_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
HISTORY_KEYS = ("url", "first_year", "last_year")
_TYPE_NAMES: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "a table",
}


class _SiteReader:
    """Checks one file's content key by key. Every error names the file and the key, and hides none of the others: what
    does not fit is noted, and reading goes on with the default.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._errors: list[str] = []

    def site(self, content: Mapping[str, Any], *, name: str, text: str) -> Site:
        """Raises SiteFileError with a line for each error."""
        self._known(content, TOP_KEYS, table="")
        enabled = self._value(content, "enabled", bool, True)
        channels = self._channels(content, required=enabled)
        declared = content.get("channels", None if enabled else {})
        names = tuple(declared) if isinstance(declared, dict) else None
        history = self._history(content)
        politeness = self._politeness(content)
        addresses = [url for _, url in channels] + ([history.url] if history else [])
        site = Site(
            name=name,
            agency=self._agency(content),
            division_code=self._division_code(content),
            channels=channels,
            platform=self._platform(content),
            hosts=self._hosts(content, addresses, private=politeness.allow_private_hosts),
            enabled=enabled,
            disabled_because=self._value(content, "disabled_because", str, ""),
            politeness=politeness,
            limits=self._limits(content),
            recheck_days=self._recheck_days(content),
            render=self._render(content, names),
            expect=self._expect(content, names),
            history=history,
            text=text,
        )
        if self._errors:
            raise SiteFileError("\n".join(self._errors))
        return site

    def _note(self, error: str) -> None:
        self._errors.append(f"{self.source}: {error}")

    def _misfit(self, key: str, expected: str, found: object) -> None:
        self._note(f"{key}: expected {expected}, found {found!r}")

    def _missing(self, key: str, known: tuple[str, ...] = TOP_KEYS, table: str = "") -> None:
        self._note(f"{_in_table(table)}missing key {key!r}; known keys: {', '.join(known)}")

    def _known(self, content: Mapping[str, Any], known: tuple[str, ...], table: str) -> None:
        for key in content:
            if key not in known:
                self._note(f"{_in_table(table)}unknown key {key!r}; known keys: {', '.join(known)}")

    def _value(self, content: Mapping[str, Any], key: str, kind: type, default: Any, table: str = "") -> Any:
        """The value, or `default` where the key is missing or holds something else, which is noted."""
        if key not in content:
            return default
        found = content[key]
        # bool is an int to Python and an int is a number to a person.
        fits = isinstance(found, kind) and not (kind is not bool and isinstance(found, bool))
        if kind is float and isinstance(found, int) and not isinstance(found, bool):
            fits = True
        if not fits:
            self._misfit(f"{table}.{key}" if table else key, _TYPE_NAMES[kind], found)
            return default
        return found

    def _table(self, content: Mapping[str, Any], key: str, known: tuple[str, ...] | None) -> dict[str, Any]:
        table: dict[str, Any] = self._value(content, key, dict, {})
        if known is not None:
            self._known(table, known, table=key)
        return table

    def _needed(self, content: Mapping[str, Any], key: str) -> str | None:
        """None where it is missing or no string, which is noted."""
        if key not in content:
            self._missing(key)
        text: str | None = self._value(content, key, str, None)
        return text

    def _agency(self, content: Mapping[str, Any]) -> str:
        agency = self._needed(content, "agency")
        if agency is not None and not agency.strip():
            self._misfit("agency", "the agency's name", agency)
        return (agency or "").strip()

    def _division_code(self, content: Mapping[str, Any]) -> str:
        code = self._needed(content, "division_code")
        if code is not None and not re.fullmatch(r"[1-9][0-9]{5}", code):
            self._misfit("division_code", 'six digits of GB/T 2260 in quotes, such as "230103"', code)
        return code or ""

    def _platform(self, content: Mapping[str, Any]) -> str:
        platform: str = self._value(content, "platform", str, AUTO)
        if platform not in (AUTO, *PLATFORM_NAMES):
            self._misfit("platform", f"one of {', '.join((AUTO, *PLATFORM_NAMES))}", platform)
        return platform

    def _channels(self, content: Mapping[str, Any], *, required: bool) -> tuple[tuple[str, str], ...]:
        """Those whose addresses are addresses."""
        if required and "channels" not in content:
            self._missing("channels")
        channels = self._table(content, "channels", None)
        if required and content.get("channels") == {}:
            self._misfit("channels", 'at least one name = "list page address"', channels)
        for name in channels:
            if not _NAME.fullmatch(name) or name == HISTORY_CHANNEL:
                self._misfit(f"channels.{name}", "a name of a-z, 0-9 and _ that is not reserved", name)
        return tuple((name, url) for name, url in channels.items() if self._is_address(f"channels.{name}", url))

    def _is_address(self, key: str, url: object) -> bool:
        if isinstance(url, str) and _is_address(url):
            return True
        expected = 'an http or https address with a host, such as "http://www.example.gov.cn/col/col1/index.html"'
        self._misfit(key, expected, url)
        return False

    def _hosts(self, content: Mapping[str, Any], addresses: list[str], *, private: bool) -> tuple[Host, ...]:
        """A host named without a port may be fetched on the usual ports and on those of the site's own addresses.

        On private hosts every port goes: there a site and its file host are often two ports of one machine.
        """
        parts = [urlsplit(url) for url in addresses]
        usual = {part.port or DEFAULT_PORTS[part.scheme] for part in parts} | set(DEFAULT_PORTS.values())
        named: dict[str, set[int]] = {part.hostname or "": set(usual) for part in parts}
        for entry in self._value(content, "allowed_hosts", list, []):
            host = _allowed_host(entry) if isinstance(entry, str) else None
            if host is None:
                self._misfit(
                    "allowed_hosts", 'a host name, optionally with :port, such as "files.example.gov.cn"', entry
                )
                continue
            name, port = host
            named.setdefault(name, set()).update({port} if port else usual)
        return tuple(Host(name, ANY_PORT if private else frozenset(ports)) for name, ports in named.items())

    def _politeness(self, content: Mapping[str, Any]) -> Politeness:
        table = self._table(content, "politeness", POLITENESS_KEYS)
        default = Politeness()
        delay: float = self._value(table, "delay_seconds", float, default.delay_seconds, "politeness")
        if not 0 <= delay <= 3600:
            self._misfit("politeness.delay_seconds", "0 to 3600 seconds", delay)
        concurrent: int = self._value(table, "concurrent_requests", int, default.concurrent_requests, "politeness")
        if not 1 <= concurrent <= 64:
            self._misfit("politeness.concurrent_requests", "1 to 64", concurrent)
        return Politeness(
            delay_seconds=float(delay),
            concurrent_requests=concurrent,
            obey_robots=self._value(table, "obey_robots", bool, default.obey_robots, "politeness"),
            allow_private_hosts=self._value(
                table, "allow_private_hosts", bool, default.allow_private_hosts, "politeness"
            ),
            window=self._window(table),
            probe_missing=self._value(table, "probe_missing", bool, default.probe_missing, "politeness"),
        )

    def _window(self, table: Mapping[str, Any]) -> Window | None:
        zone: str = self._value(table, "time_zone", str, DEFAULT_TIME_ZONE, "politeness")
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            self._misfit("politeness.time_zone", f'a time zone such as "{DEFAULT_TIME_ZONE}"', zone)
        hours: str | None = self._value(table, "window", str, None, "politeness")
        if hours is None:
            return None
        found = _WINDOW.fullmatch(hours)
        if found is None or found.group(1, 2) == found.group(3, 4):
            self._misfit("politeness.window", 'two times of day, such as "22:00-06:00"', hours)
            return None
        start_hour, start_minute, end_hour, end_minute = (int(part) for part in found.groups())
        return Window(time(start_hour, start_minute), time(end_hour, end_minute), zone)

    def _limits(self, content: Mapping[str, Any]) -> Limits:
        table = self._table(content, "limits", LIMITS_KEYS)
        default = Limits()
        pages: int = self._value(table, "max_list_pages", int, default.max_list_pages, "limits")
        depth: int = self._value(table, "max_depth", int, default.max_depth, "limits")
        if pages < 1:
            self._misfit("limits.max_list_pages", "at least 1 page", pages)
        if depth < 2:
            self._misfit("limits.max_depth", "at least 2 (a page and its attachments)", depth)
        return Limits(max_list_pages=pages, max_depth=depth)

    def _recheck_days(self, content: Mapping[str, Any]) -> int | None:
        table = self._table(content, "recheck", RECHECK_KEYS)
        days: int | None = self._value(table, "days", int, None, "recheck")
        if days is not None and not 1 <= days <= 3650:
            self._misfit("recheck.days", "1 to 3650 days", days)
        return days

    def _render(self, content: Mapping[str, Any], channels: tuple[str, ...] | None) -> Render:
        """`channels` is None where the file lacks them by mistake: then no name is held against them."""
        table = self._table(content, "render", RENDER_KEYS)
        named: list[object] = self._value(table, "channels", list, [], "render")
        for name in named:
            if channels is not None and name not in channels:
                self._misfit("render.channels", f"names of channels ({', '.join(channels)})", name)
        seconds: float = self._value(table, "seconds", float, Render().seconds, "render")
        if not 5 <= seconds <= 600:
            self._misfit("render.seconds", "5 to 600 seconds", seconds)
        return Render(tuple(str(name) for name in named), float(seconds))

    def _expect(self, content: Mapping[str, Any], channels: tuple[str, ...] | None) -> tuple[tuple[str, int], ...]:
        table = self._table(content, "expect", channels)
        for name in table:
            count: int = self._value(table, name, int, 1, "expect")
            if count < 1:
                self._misfit(f"expect.{name}", "at least 1 listing", count)
        return tuple(table.items())

    def _history(self, content: Mapping[str, Any]) -> ReportHistory | None:
        """None where the file has none, or none that could be asked for."""
        if HISTORY_CHANNEL not in content:
            return None
        table = self._table(content, HISTORY_CHANNEL, HISTORY_KEYS)
        for key in HISTORY_KEYS:
            if key not in table:
                self._missing(key, HISTORY_KEYS, HISTORY_CHANNEL)
        url: str | None = self._value(table, "url", str, None, HISTORY_CHANNEL)
        first: int | None = self._value(table, "first_year", int, None, HISTORY_CHANNEL)
        last: int | None = self._value(table, "last_year", int, None, HISTORY_CHANNEL)
        if url is not None and url.count("{year}") != 1:
            self._misfit(f"{HISTORY_CHANNEL}.url", "an address with {year} in it once", url)
            url = None
        if url is not None and not self._is_address(f"{HISTORY_CHANNEL}.url", url.replace("{year}", "2021")):
            url = None
        if first is None or last is None:
            return None
        if not FIRST_POSSIBLE_YEAR <= first <= last <= LAST_POSSIBLE_YEAR:
            expected = f"{FIRST_POSSIBLE_YEAR} ≤ first_year ≤ last_year ≤ {LAST_POSSIBLE_YEAR}"
            self._misfit(f"{HISTORY_CHANNEL}.first_year", expected, (first, last))
        return ReportHistory(url=url, first_year=first, last_year=last) if url else None


def _in_table(name: str) -> str:
    return f"[{name}] " if name else ""


def _is_address(url: str) -> bool:
    """True for http and https with a host, and nothing that no request should carry."""
    if re.search(r"[\s<>\"\x00-\x1f]", url):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises ValueError when it is not a number
    except ValueError:
        return False
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username or parts.fragment:
        return False
    return _HOST.fullmatch(f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname) is not None


def _allowed_host(entry: str) -> tuple[str, int | None] | None:
    """Host and port of an entry of `allowed_hosts`; None when it is none."""
    try:
        parts = urlsplit(f"//{entry}")
        port = parts.port
    except ValueError:
        return None
    host, _, _ = entry.rpartition(":") if port is not None else (entry, "", "")
    if not _HOST.fullmatch(host) or not parts.hostname:
        return None
    return parts.hostname, port
