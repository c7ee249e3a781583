"""robots.txt of servers in trouble: what cannot be reached allows nothing (RFC 9309, 2.3.1.4) and is asked again."""

from pathlib import Path

import pytest
from crawling import COMMAND, Crawled, crawled, gongkai, one, rows
from loopback import LIST, Answer, Column, served, site_file

RULES = "User-agent: *\nDisallow: /art/2022/1/5/art_33_2.html\n"
IMPATIENT = (
    "from crawler import retry, settings; retry.FIRST_WAIT_SECONDS = 0.0; settings.GONGKAI_FIRST_BYTE_SECONDS = 0.5; "
)


def run(data_dir: Path, base: str) -> Crawled:
    data_dir.mkdir(exist_ok=True)
    path = site_file(data_dir.parent, base)
    return crawled(gongkai(data_dir, "crawl", "--site-file", str(path), "--json", code=IMPATIENT + COMMAND))


def findings(data_dir: Path, code: str) -> list[str]:
    return [message for (message,) in rows(data_dir, "SELECT message FROM findings WHERE code = ?", code)]


SILENT = {"the connection is closed": Answer(0), "no answer in time": Answer(200, b"", seconds=1.5)}


@pytest.mark.parametrize("how", SILENT)
def test_a_server_that_says_nothing_for_robots_txt_is_asked_nothing_else(how: str, tmp_path: Path):
    """The night is not lost without a word, and the next one has it all."""
    is_silent, data = True, tmp_path / "data"

    def answer(path: str, _count: int) -> Answer | None:
        return (SILENT[how] if is_silent else Answer(404)) if path == "/robots.txt" else None

    with served(Column(3, answer)) as script:
        assert run(data, script.base).code == 1
        assert script.paths() == ["/robots.txt"] * 3
        assert "nothing is asked" in findings(data, "robots_unreachable")[0]
        assert len(findings(data, "list_failed")) == 1
        assert rows(data, "SELECT outcome, error LIKE 'robots_unreachable:%' FROM captures WHERE role = 'list'") == [
            ("net_error", 1)
        ]
        assert rows(data, "SELECT status FROM channel_runs") == [("incomplete",)]
        is_silent = False
        assert run(data, script.base).code == 0
    assert one(data, "SELECT count(*) FROM captures WHERE role = 'page' AND outcome = 'ok'") == 3


def test_a_server_that_answers_the_second_time_is_heard(tmp_path: Path):
    def answer(path: str, count: int) -> Answer | None:
        return Answer(0) if path == "/robots.txt" and count == 1 else None

    with served(Column(2, answer)) as script:
        assert run(tmp_path / "data", script.base).code == 0
    assert script.paths() == ["/robots.txt", "/robots.txt", LIST, *Column(2).paths]
    assert findings(tmp_path / "data", "robots_unreachable") == []


def test_another_port_without_robots_txt_does_not_end_the_host_s_night(tmp_path: Path):
    """Hosts that answer to http only are linked with https, and the other way round."""
    data, dead = tmp_path / "data", "http://127.0.0.1:9/art/2022/1/5/art_33_9.html"

    def answer(path: str, _count: int) -> Answer | None:
        if path != LIST:
            return None
        listed = Column(6)(LIST, 1)
        return Answer(body=listed.body.replace(Column(6).paths[0].encode(), dead.encode()), headers=listed.headers)

    with served(Column(6, answer)) as script:
        site = site_file(tmp_path, script.base).read_text(encoding="utf-8")
        path = tmp_path / "two.toml"
        path.write_text(site.replace("[channels]", 'allowed_hosts = ["127.0.0.1:9"]\n[channels]'), encoding="utf-8")
        assert crawled(gongkai(data, "crawl", "--site-file", str(path), "--json", code=IMPATIENT + COMMAND)).code == 0
    assert rows(data, "SELECT outcome FROM captures WHERE url = ?", dead) == [("net_error",)]
    assert one(data, "SELECT count(*) FROM captures WHERE role = 'page' AND outcome = 'ok'") == 5
    assert findings(data, "host_paused") == []


def test_redirects_of_robots_txt_without_end_are_said(tmp_path: Path):
    def answer(path: str, _count: int) -> Answer | None:
        return Answer(302, headers=(("Location", f"/r{path}"),)) if path.endswith("/robots.txt") else None

    with served(Column(1, answer)) as script:
        assert run(tmp_path / "data", script.base).code == 0
    assert findings(tmp_path / "data", "robots_unavailable") == ["more than 5 redirects: taken as no robots.txt"]


def test_a_robots_txt_on_a_foreign_host_is_said(tmp_path: Path):
    def answer(path: str, _count: int) -> Answer | None:
        return Answer(302, headers=(("Location", "http://other.example.cn/"),)) if path == "/robots.txt" else None

    with served(Column(1, answer)) as script:
        assert run(tmp_path / "data", script.base).code == 0
    assert "http://other.example.cn/" in findings(tmp_path / "data", "robots_unavailable")[0]


RULES_AS_SENT = {
    "a byte order mark": b"\xef\xbb\xbf" + RULES.encode(),
    "UTF-16": b"\xff\xfe" + RULES.encode("utf-16-le"),
    "GBK in a comment": "# 某区人民政府\n".encode("gbk") + RULES.encode(),
    "600 KB": b"# a\n" * 150_000 + RULES.encode(),
    "line ends of an old Mac": RULES.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("sent", RULES_AS_SENT)
def test_rules_are_read_however_they_are_sent(sent: str, tmp_path: Path):
    def answer(path: str, _count: int) -> Answer | None:
        return Answer(200, RULES_AS_SENT[sent]) if path == "/robots.txt" else None

    with served(Column(3, answer)) as script:
        assert run(tmp_path / "data", script.base).code == 0
    assert script.paths() == ["/robots.txt", LIST, Column(3).paths[0], Column(3).paths[2]]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_robots_txt_that_is_refused_forbids_nothing(status: int, tmp_path: Path):
    def answer(path: str, _count: int) -> Answer | None:
        return Answer(status, RULES.encode()) if path == "/robots.txt" else None

    with served(Column(3, answer)) as script:
        assert run(tmp_path / "data", script.base).code == 0
    assert set(Column(3).paths) <= set(script.paths())
