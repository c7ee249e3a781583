"""Notifications against real servers on loopback: what they get, and that none of their troubles is ours."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import nights
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from ports import free_port

from archive.errors import LockedError
from archive.times import moment
from crawler import nightly, notify
from crawler.crawl import CrawlSummary
from crawler.exceptions import CrawlFailedError
from crawler.extract import ExtractSummary
from crawler.morning import gather
from crawler.night import Alarm, Night
from crawler.notify import Settings, notify_end, notify_start

SECRET = "s3cret"


@pytest.fixture
def night(tmp_path: Path) -> Night:
    with nights.opened(tmp_path) as store:
        run_id = nights.night(store, 1, {"a": (12, {"ok": 3})})
        return gather(tmp_path, store.connection, run_id, clock=lambda: moment("2026-02-01T00:00:00Z"))


@pytest.fixture
def bad_night(night: Night) -> Night:
    return replace(night, alarms=(Alarm("zero_yield", "a", "listed nothing", "未列出任何条目"),))


class Web:
    """An HTTP server that keeps what it gets."""

    def __init__(self, status: int) -> None:
        self.got: list[tuple[str, str, bytes]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.got.append((self.path, self.headers["Content-Type"], body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"


@contextmanager
def serving(status: int = 200) -> Iterator[Web]:
    web = Web(status)
    thread = threading.Thread(target=web.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        web.server.shutdown()
        thread.join()
        web.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as opened:
        yield opened


class Mailbox:
    """Keeps mail; refuses recipients called nobody."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, to: str, _options: list) -> str:  # noqa: N802
        if to.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def authenticated(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == SECRET.encode(), handled=False)


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, str]]:
    """A mailbox, and the server's host and port."""
    box = Mailbox()
    controller = Controller(
        box, hostname="127.0.0.1", port=0, authenticator=box.authenticated, auth_require_tls=False, ready_timeout=30
    )
    controller.port = free_port()
    controller.start()
    try:
        yield box, f"127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def test_nothing_is_said_where_nothing_is_set(night: Night) -> None:
    settings = Settings.from_environment({"PATH": "/bin"})
    assert settings == Settings()
    assert (notify_start("r", settings), notify_end(night, 0, settings)) == ((), ())


def test_settings_come_from_the_environment() -> None:
    environment = {"GONGKAI_MAIL_TO": " a@x.example, b@x.example ,", "GONGKAI_MAIL_WHEN": "alarm"}
    settings = Settings.from_environment(environment)
    assert (settings.mail_to, settings.mail_from) == (("a@x.example", "b@x.example"), "a@x.example")
    assert settings.mail_when == "alarm"


@pytest.mark.parametrize(("exit_code", "path"), [(0, f"/{SECRET}"), (1, f"/{SECRET}/fail"), (75, f"/{SECRET}/fail")])
def test_a_ping_says_start_success_or_fail(web: Web, night: Night, exit_code: int, path: str) -> None:
    settings = Settings(ping_url=web.url)
    assert notify_start("the run", settings) + notify_end(night, exit_code, settings) == ()
    (start, _, run_id), (end, _, text) = web.got
    assert (start, run_id, end) == (f"/{SECRET}/start", b"the run", path)
    assert text.startswith(b"exit code %d\n" % exit_code)


def test_a_ping_address_keeps_its_query(web: Web) -> None:
    notify_start("", Settings(ping_url=web.url + "/?key=1"))
    assert web.got[0][0] == f"/{SECRET}/start?key=1"


def test_a_night_without_a_report_fails_loudly(web: Web) -> None:
    settings = Settings(ping_url=web.url, webhook_url=web.url + "/hook")
    assert notify_end(None, 1, settings) == ()
    (ping, _, _), (hook, _, data) = web.got
    assert (ping, hook) == (f"/{SECRET}/fail", f"/{SECRET}/hook")
    assert json.loads(data)["run"] is None


def test_the_webhook_gets_the_night_as_json(web: Web, bad_night: Night) -> None:
    assert notify_end(bad_night, 0, Settings(webhook_url=web.url)) == ()
    ((path, content_type, data),) = web.got
    got = json.loads(data)
    assert (path, content_type) == (f"/{SECRET}", "application/json")
    assert got["text"] == "gongkai 2026-01-01: 1 alarm; 0 new, 0 changed, 0 gone, 0 failed"
    assert (got["exit_code"], got["run"]["run_id"]) == (0, bad_night.run.run_id)
    alarm = {"code": "zero_yield", "site": "a", "message": "listed nothing", "message_zh": "未列出任何条目"}
    assert (got["alarms"], got["broken"]) == ([alarm], None)


def test_mail_has_the_report_twice(mail: tuple[Mailbox, str], bad_night: Night) -> None:
    box, server = mail
    settings = Settings(smtp_url=f"smtp://{server}", mail_to=("a@x.example", "b@x.example"), mail_from="g@x.example")
    assert notify_end(bad_night, 1, settings) == ()
    (message,) = box.mails
    assert message["Subject"].strip() == "gongkai 2026-01-01: 1 alarm; 0 new, 0 changed, 0 gone, 0 failed, exit code 1"
    assert (message["From"], message["To"]) == ("g@x.example", "a@x.example, b@x.example")
    plain, page = message.iter_parts()
    assert "zero_yield" in plain.get_content()
    assert "警报" in page.get_content()


def test_mail_logs_in_when_it_is_told_how(mail: tuple[Mailbox, str], night: Night) -> None:
    box, server = mail
    settings = Settings(smtp_url=f"smtp://me%40x:{SECRET}@{server}", mail_to=("a@x.example",), mail_from="a@x.example")
    assert notify_end(night, 0, settings) == ()
    assert box.logins == [(b"me@x", SECRET.encode())]
    assert len(box.mails) == 1


def test_a_wrong_password_is_a_finding_that_does_not_tell_it(mail: tuple[Mailbox, str], night: Night) -> None:
    box, server = mail
    settings = Settings(smtp_url=f"smtp://me:wr0ng@{server}", mail_to=("a@x.example",), mail_from="a@x.example")
    (finding,) = notify_end(night, 0, settings)
    assert (finding.level, finding.code) == ("warning", "notification_failed")
    assert finding.message == "the mail could not be sent: the server answered 535"
    assert box.mails == []


def test_mail_only_on_alarms_is_silent_on_good_nights(
    mail: tuple[Mailbox, str], night: Night, bad_night: Night
) -> None:
    box, server = mail
    settings = Settings(
        smtp_url=f"smtp://{server}", mail_to=("a@x.example",), mail_from="a@x.example", mail_when="alarm"
    )
    assert notify_end(night, 0, settings) == ()
    assert box.mails == []
    assert notify_end(bad_night, 0, settings) + notify_end(night, 1, settings) + notify_end(None, 1, settings) == ()
    assert len(box.mails) == 3


def test_a_refused_recipient_is_a_finding_and_the_other_gets_the_mail(mail: tuple[Mailbox, str], night: Night) -> None:
    box, server = mail
    settings = Settings(
        smtp_url=f"smtp://{server}", mail_to=("nobody@x.example", "a@x.example"), mail_from="a@x.example"
    )
    (finding,) = notify_end(night, 0, settings)
    assert "refused 1 of the recipients" in finding.message
    assert len(box.mails) == 1


def test_a_password_does_not_leave_in_the_clear(
    mail: tuple[Mailbox, str], night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, server = mail
    monkeypatch.setattr(notify, "_is_loopback", lambda host: False)
    settings = Settings(smtp_url=f"smtp://me:{SECRET}@{server}", mail_to=("a@x.example",), mail_from="a@x.example")
    (finding,) = notify_end(night, 0, settings)
    assert "not sent in the clear" in finding.message
    assert (box.logins, box.mails) == ([], [])


@pytest.mark.parametrize(
    "settings",
    [
        {"ping_url": f"ftp://x.example/{SECRET}"},
        {"ping_url": f"http://[{SECRET}"},
        {"webhook_url": f"file:///etc/{SECRET}"},
        {"webhook_url": f"http://127.0.0.1:1/{SECRET}"},
        {"webhook_url": f"http://no such host/{SECRET}"},
        {"smtp_url": f"smtp://me:{SECRET}@127.0.0.1:1", "mail_to": ("a@x.example",), "mail_from": "a@x.example"},
        {"smtp_url": f"http://me:{SECRET}@127.0.0.1", "mail_to": ("a@x.example",)},
        {"smtp_url": f"smtp://me:{SECRET}@127.0.0.1:port", "mail_to": ("a@x.example",), "mail_from": "a@x.example"},
        {"smtp_url": f"smtp://me:{SECRET}@127.0.0.1", "mail_to": ("a\nBcc: b",), "mail_from": "a@x.example"},
        {"smtp_url": f"smtp://me:{SECRET}@127.0.0.1"},
        {"mail_to": ("a@x.example",)},
        {"mail_to": ("a@x.example",), "mail_when": "never"},
    ],
    ids=lambda settings: " ".join(f"{name}={value}" for name, value in settings.items()),
)
def test_a_setting_that_cannot_work_is_a_finding_without_its_secret(night: Night, settings: dict) -> None:
    (finding,) = notify_end(night, 0, Settings(**settings))
    assert (finding.level, finding.code) == ("warning", "notification_failed")
    assert SECRET not in finding.message


def test_a_server_in_trouble_does_not_keep_the_others_from_hearing(web: Web, night: Night) -> None:
    with serving(500) as broken:
        (finding,) = notify_end(night, 0, Settings(ping_url=broken.url, webhook_url=web.url))
    assert finding.message == "the ping could not be sent: the server answered 500"
    assert len(web.got) == 1


def test_a_server_that_never_answers_is_given_up(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "SECONDS", 0.2)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    try:
        (finding,) = notify_end(night, 0, Settings(webhook_url=f"http://127.0.0.1:{server.server_port}/"))
    finally:
        server.server_close()
    assert "TimeoutError" in finding.message


def crawled(data_dir: Path, status: str = "finished") -> CrawlSummary:
    """As if a crawl had been."""
    with nights.opened(data_dir) as store:
        run_id = nights.night(store, 1, {"a": (12, {"ok": 3})}, status=status)
    extracted = ExtractSummary(read=0, unreadable=0, pages=0, attachments=0, reports=0, facts=0, seconds=0.0)
    return CrawlSummary(run_id, status, 3, 3, (), {}, extracted, 0.0, 0.0)


@pytest.mark.parametrize(("status", "path"), [("finished", f"/{SECRET}"), ("failed", f"/{SECRET}/fail")])
def test_a_night_says_when_it_begins_and_how_it_ended(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch, status: str, path: str
) -> None:
    monkeypatch.setenv("GONGKAI_PING_URL", web.url)
    monkeypatch.setattr(nightly, "crawl", lambda data_dir, sites, **_: crawled(data_dir, status))
    summary = nightly.nightly(tmp_path, ())
    assert [got for got, _, _ in web.got] == [f"/{SECRET}/start", path]
    assert all(Path(report).is_file() for report in summary.reports)


def test_what_could_not_be_said_is_a_finding_of_the_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_PING_URL", f"ftp://x.example/{SECRET}")
    monkeypatch.setattr(nightly, "crawl", lambda data_dir, sites, **_: crawled(data_dir))
    nightly.nightly(tmp_path, ())
    with nights.opened(tmp_path) as store:
        found = store.connection.execute("SELECT level, code, message FROM findings").fetchall()
    assert found == [
        (
            "warning",
            "notification_failed",
            "the ping could not be sent: GONGKAI_PING_URL must be an http or https address",
        )
    ]


@pytest.mark.parametrize(
    ("error", "paths"),
    [(CrawlFailedError("disk full"), ["/start", "/fail"]), (LockedError("in use"), ["/start"])],
    ids=["a crawl that could not go on", "another run has the lock"],
)
def test_a_night_that_could_not_be_says_so_unless_another_is_under_way(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch, error: Exception, paths: list[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setenv("GONGKAI_PING_URL", web.url)
    monkeypatch.setattr(nightly, "crawl", fails)
    with pytest.raises(type(error)):
        nightly.nightly(tmp_path, ())
    assert [got for got, _, _ in web.got] == [f"/{SECRET}{path}" for path in paths]
