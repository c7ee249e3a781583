"""Tells the outside how a night went: pings, a webhook, mail. All optional, set by environment variables.

    GONGKAI_PING_URL      a dead man's switch as healthchecks.io has it: URL/start when a night begins, URL when it has
                          ended well, URL/fail when not
    GONGKAI_WEBHOOK_URL   gets the night as JSON, by POST
    GONGKAI_SMTP_URL      smtp://user:password@host:port (STARTTLS where offered) or smtps://… (TLS from the start)
    GONGKAI_MAIL_TO       whom to write to, commas between
    GONGKAI_MAIL_FROM     the sender; the first recipient when not set
    GONGKAI_MAIL_WHEN     always (default) or alarm: only when something is wrong

Whatever goes wrong here is a finding and never more. Addresses hold secrets: findings name hosts only.
"""

from __future__ import annotations

import json
import logging
import os
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPException
from ipaddress import ip_address
from typing import Literal
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from archive.model import Finding
from crawler import night_page
from crawler.night import Night

log = logging.getLogger(__name__)

SECONDS = 10.0
# Ping services keep the first 10 to 100 kB of what is said.
_MOST_PING_BYTES = 10_000
_MOST_ALARMS = 100
_PORTS = {"smtp": 25, "smtps": 465}

MailWhen = Literal["always", "alarm"]


class NotifyError(Exception):
    """Raised inside this module for a setting that cannot be used; it becomes a finding."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Whom to tell; "" and () for nobody."""

    ping_url: str = ""
    webhook_url: str = ""
    smtp_url: str = ""
    mail_to: tuple[str, ...] = ()
    mail_from: str = ""
    mail_when: str = "always"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Values as they stand; whether they can be used shows when they are."""

        def value(name: str) -> str:
            return environment.get(f"GONGKAI_{name}", "").strip()

        mail_to = tuple(part.strip() for part in value("MAIL_TO").split(",") if part.strip())
        return cls(
            ping_url=value("PING_URL"),
            webhook_url=value("WEBHOOK_URL"),
            smtp_url=value("SMTP_URL"),
            mail_to=mail_to,
            mail_from=value("MAIL_FROM") or (mail_to[0] if mail_to else ""),
            mail_when=value("MAIL_WHEN") or "always",
        )


def notify_start(run_id: str = "", settings: Settings | None = None) -> tuple[Finding, ...]:
    """Says that a night begins. Returns what could not be said, as warnings; never raises for that."""
    settings = settings or Settings.from_environment()
    if not settings.ping_url:
        return ()
    return _tried({"ping": lambda: _ping(settings.ping_url, "start", run_id)})


def notify_end(night: Night | None, exit_code: int, settings: Settings | None = None) -> tuple[Finding, ...]:
    """Says how the night went: every channel is tried, whatever happens to the others. As `notify_start`.

    `night` is None when it ended before there was anything to report.
    """
    settings = settings or Settings.from_environment()
    steps: dict[str, Callable[[], None]] = {}
    if settings.ping_url:
        sign = "fail" if exit_code else ""
        steps["ping"] = lambda: _ping(settings.ping_url, sign, f"exit code {exit_code}\n\n{_text(night)}")
    if settings.webhook_url:
        steps["webhook"] = lambda: _webhook(settings.webhook_url, night, exit_code)
    if settings.smtp_url or settings.mail_to:
        steps["mail"] = lambda: _mail(settings, night, exit_code)
    return _tried(steps)


def summary(night: Night | None, exit_code: int) -> str:
    """The night in a line, for a subject."""
    if night is None:
        return f"gongkai: the night ended with exit code {exit_code} and nothing to report"
    alarms = f"{len(night.alarms)} alarms" if len(night.alarms) != 1 else "1 alarm"
    counts = ", ".join(f"{night.total(name)} {name}" for name in ("new", "changed", "gone", "failed"))
    ended = "" if exit_code == 0 else f", exit code {exit_code}"
    return f"gongkai {night.run.started_at[:10]}: {alarms}; {counts}{ended}"


def payload(night: Night | None, exit_code: int) -> dict[str, object]:
    """What the webhook gets. `text` alone is what chat services show of it."""
    shown: dict[str, object] = {"text": summary(night, exit_code), "exit_code": exit_code, "run": None, "alarms": []}
    if night is None:
        return shown
    names = ("requests", "new", "changed", "gone", "failed", "blocked")
    return shown | {
        "run": asdict(night.run),
        "broken": night.broken.message if night.broken else None,
        "alarms": [asdict(alarm) for alarm in night.alarms[:_MOST_ALARMS]],
        "alarm_count": len(night.alarms),
        "totals": {name: night.total(name) for name in names},
        "unreadable": night.unreadable_count,
        "failed_checks": night.failed_check_count,
    }


def _tried(steps: Mapping[str, Callable[[], None]]) -> tuple[Finding, ...]:
    return tuple(finding for name, step in steps.items() for finding in _failure(name, step))


def _failure(name: str, step: Callable[[], None]) -> Iterator[Finding]:
    try:
        step()
    # OSError holds time-outs, refusals, TLS and URL errors; ValueError what urllib, email and idna say of odd settings.
    except (NotifyError, OSError, HTTPException, smtplib.SMTPException, ValueError) as error:
        message = f"the {name} could not be sent: {_said(error)}"
        log.warning("%s", message)
        yield Finding("warning", "notification_failed", message)


def _said(error: Exception) -> str:
    """What may be repeated: messages of libraries may hold the address, and with it a secret."""
    if isinstance(error, NotifyError):
        return str(error)
    if isinstance(error, HTTPError):
        return f"the server answered {error.code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answered {error.smtp_code}"
    reason = getattr(error, "reason", None)
    if isinstance(reason, OSError):
        return f"{type(reason).__name__} {reason.strerror or ''}".strip()
    strerror = error.strerror if isinstance(error, OSError) else None
    return f"{type(error).__name__} {strerror or ''}".strip()


def _ping(url: str, sign: str, text: str) -> None:
    parts = _web_address(url, "GONGKAI_PING_URL")
    path = parts.path.rstrip("/") + (f"/{sign}" if sign else "")
    _post(urlunsplit(parts._replace(path=path)), text.encode()[:_MOST_PING_BYTES], "text/plain; charset=utf-8")


def _webhook(url: str, night: Night | None, exit_code: int) -> None:
    _web_address(url, "GONGKAI_WEBHOOK_URL")
    data = json.dumps(payload(night, exit_code), ensure_ascii=False).encode()
    _post(url, data, "application/json")


def _web_address(url: str, name: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotifyError(f"{name} must be an http or https address")
    return parts


def _post(url: str, data: bytes, content_type: str) -> None:
    headers = {"Content-Type": content_type, "User-Agent": "gongkai"}
    request = Request(url, data=data, headers=headers, method="POST")  # noqa: S310  the scheme was looked at
    with urlopen(request, timeout=SECONDS) as response:  # noqa: S310
        response.read(1)


def _mail(settings: Settings, night: Night | None, exit_code: int) -> None:
    if settings.mail_when not in ("always", "alarm"):
        raise NotifyError(f"GONGKAI_MAIL_WHEN must be always or alarm, found {settings.mail_when!r}")
    is_well = exit_code == 0 and night is not None and not night.alarms
    if settings.mail_when == "alarm" and is_well:
        return
    if not settings.mail_to:
        raise NotifyError("GONGKAI_SMTP_URL is set and GONGKAI_MAIL_TO is not")
    server = urlsplit(settings.smtp_url)
    if server.scheme not in _PORTS or not server.hostname:
        raise NotifyError("GONGKAI_SMTP_URL must be smtp://host:port or smtps://host:port, with user and password")
    _send(server, _message(settings, night, exit_code))


def _message(settings: Settings, night: Night | None, exit_code: int) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = summary(night, exit_code)
    message["From"] = settings.mail_from
    message["To"] = ", ".join(settings.mail_to)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain="gongkai.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(night))
    if night is not None:
        message.add_alternative(night_page.html(night), subtype="html")
    return message


def _send(server: SplitResult, message: EmailMessage) -> None:
    host, port = server.hostname or "", server.port or _PORTS[server.scheme]
    context = ssl.create_default_context()
    client = (
        smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        if server.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=SECONDS)
    )
    with client:
        client.ehlo_or_helo_if_needed()
        if server.scheme == "smtp" and client.has_extn("starttls"):
            client.starttls(context=context)
            client.ehlo()
        elif server.scheme == "smtp" and server.password and not _is_loopback(host):
            raise NotifyError(f"{host} offers no encryption, and the password is not sent in the clear")
        if server.username:
            client.login(unquote(server.username), unquote(server.password or ""))
        refused = client.send_message(message)
    if refused:
        raise NotifyError(f"{host} refused {len(refused)} of the recipients")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _text(night: Night | None) -> str:
    return night_page.markdown(night) if night is not None else "There is no report: the night ended before it.\n"
