"""Pages that are known, and an answer that brings none of them: said, asked again, and what they said before stands."""

import gzip
from pathlib import Path

import pytest
from crawling import COMMAND, crawled, gongkai, made_again, one, rows
from loopback import Answer, Column, article, served, site_file

SETUP = "from crawler import retry, manners; retry.FIRST_WAIT_SECONDS = manners.FIRST_BLOCK_WAIT_SECONDS = 0.0; "
HTML = ("Content-Type", "text/html; charset=utf-8")
COOKIE = ("Set-Cookie", "visited=1; path=/")
SITE = Column(8)
JUMP = f"<html><body>请稍候</body><script>window.location.href='{SITE.paths[3]}';</script></html>"
REFRESH = "<html><meta http-equiv='refresh' content='1;url={}'><body>页面正在跳转</body></html>"

# What each page is answered in the second night, and the one finding about it.
NOTHING = {
    "no bytes": (Answer(headers=(HTML,)), "empty_answer"),
    "blanks": (Answer(body=b"\r\n\r\n  \r\n", headers=(HTML,)), "empty_answer"),
    "a bomb": (
        Answer(body=gzip.compress(bytes(40_000_000)), headers=(HTML, ("Content-Encoding", "gzip"))),
        "content_bomb",
    ),
    "a cookie and a script": (Answer(body=JUMP.encode(), headers=(HTML, COOKIE)), "challenge"),
    "called gzip": (Answer(body=b"<html>x</html>", headers=(HTML, ("Content-Encoding", "gzip"))), "content_bad_coding"),
    "a cookie and a refresh": (
        Answer(body=REFRESH.format(SITE.paths[5]).encode(), headers=(HTML, COOKIE)),
        "challenge",
    ),
}
URL = "url LIKE '%' || ?"


def run(data: Path, file: Path) -> None:
    done = crawled(gongkai(data, "crawl", "--site-file", str(file), "--json", "--full", code=SETUP + COMMAND))
    assert done.code == 0, done.errors


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night, one with the troubles above and a page that is edited, one like the first."""
    folder, night = tmp_path_factory.mktemp("nothing"), 0
    answers = dict(zip(SITE.paths, NOTHING.values(), strict=False))

    def answer(path: str, _count: int) -> Answer | None:
        if night == 2 and path in answers:
            return answers[path][0]
        if night > 1 and path == SITE.paths[-1]:
            return Answer(body=article(path).replace("公告".encode(), "决定".encode()), headers=(HTML,))
        return None

    with served(SITE.with_overrides(answer)) as script:
        file = site_file(folder, script.base)
        for _ in range(3):
            night += 1
            run(folder / "data", file)
    return folder / "data"


def path_of(name: str) -> str:
    return SITE.paths[list(NOTHING).index(name)]


@pytest.mark.parametrize("name", NOTHING)
def test_it_is_one_finding_and_no_change(nights: Path, name: str):
    codes = {code for (code,) in rows(nights, f"SELECT code FROM findings WHERE {URL}", path_of(name))}
    # After a guard it is also said that the page is left to the next run.
    assert codes - {"fetch_failed"} == {NOTHING[name][1]}
    assert rows(nights, f"SELECT kind FROM changes WHERE {URL}", path_of(name)) == [("appeared",)]


@pytest.mark.parametrize("name", NOTHING)
def test_what_the_page_said_stands(nights: Path, name: str):
    assert one(nights, f"SELECT count(*) FROM page_versions WHERE {URL}", path_of(name)) == 1
    assert "自公布之日起施行" in one(nights, f"SELECT text FROM pages WHERE {URL}", path_of(name))


@pytest.mark.parametrize("name", NOTHING)
def test_its_bytes_are_kept_and_the_page_is_asked_for_again(nights: Path, name: str):
    outcomes = [outcome for (outcome,) in rows(nights, f"SELECT outcome FROM captures WHERE {URL}", path_of(name))]
    assert outcomes == ["ok", "blocked" if NOTHING[name][1] == "challenge" else "http_error", "revisit"]
    found = rows(nights, f"SELECT payload_digest FROM captures WHERE {URL}", path_of(name))
    assert found[1][0] is not None and found[1] != found[0] == found[2]


def test_an_edit_beside_them_is_found(nights: Path):
    found = rows(nights, "SELECT url LIKE '%' || ? FROM changes WHERE kind = 'content_changed'", SITE.paths[-1])
    assert found == [(1,)]


def test_all_is_the_same_when_the_database_is_made_again(nights: Path):
    before, after = made_again(
        nights,
        "SELECT url, kind FROM changes ORDER BY 1, 2",
        "SELECT url, outcome FROM captures ORDER BY captured_at, url",
        "SELECT level, code, url, message FROM findings WHERE capture_id IS NOT NULL ORDER BY 2, 3",
        "SELECT url, state FROM frontier JOIN urls USING (url_id) ORDER BY 1",
    )
    assert after == before


def test_a_page_that_answers_with_nothing_at_first_is_asked_for_again_by_the_next_run(tmp_path: Path):
    empty = SITE.paths[0]
    with served(SITE.with_overrides(lambda path, count: Answer() if path == empty and count == 1 else None)) as script:
        file = str(site_file(tmp_path, script.base))
        for expected in (0, 1):
            crawled(gongkai(tmp_path / "data", "crawl", "--site-file", file, "--json", code=SETUP + COMMAND))
            assert one(tmp_path / "data", f"SELECT count(*) FROM pages WHERE {URL}", empty) == expected
    assert rows(tmp_path / "data", f"SELECT kind FROM changes WHERE {URL}", empty) == [("appeared",)]
