"""Servers whose answers could be taken for all there is: what is missing is said, asked again, and not called gone."""

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from crawling import COMMAND, gongkai, one, rows
from loopback import LIST, Answer, Script, article, served, site_file

SETUP = "from crawler import retry, manners; retry.FIRST_WAIT_SECONDS = manners.FIRST_BLOCK_WAIT_SECONDS = 0.0; "
PER_PAGE, LIST_PAGES = 5, 3
ARTICLES = [f"/art/2023/4/{n}.html" for n in range(1, PER_PAGE * LIST_PAGES + 1)]
LISTS = [LIST, "/col/col33/index_2.html", "/col/col33/index_3.html"]
HTML = (("Content-Type", "text/html; charset=utf-8"),)


def list_page(number: int, articles: Sequence[str] = ARTICLES, pages: Sequence[str] = LISTS) -> bytes:
    """One of the pages of a list that says how many pages it has, and not how many entries."""
    shown = articles[(number - 1) * PER_PAGE : number * PER_PAGE]
    return paged(shown, f"共{len(pages)}页", pages[number] if number < len(pages) else None).body


def paged(shown: Sequence[str], said: str, following: str | None) -> Answer:
    """A page of a list in which nothing but `said` declares how long it is. Its links do not name the site's folder."""
    links = [(f"../..{path}", path[-7:-5]) for path in shown]
    rows = "".join(f"<li><a href='{p}'>关于第{n}号事项的公告</a><span>2023-04-01</span></li>" for p, n in links)
    way = f"<a href='../..{following}'>下一页</a>" if following else ""
    page = f"<html><title>公告</title><body><ul>{rows}</ul><div>{said} {way}</div></body></html>"
    return Answer(body=page.encode(), headers=HTML)


@dataclass
class Site:
    """Three list pages and their articles; `special` comes first."""

    special: Callable[[str, int], Answer | None] = lambda _path, _count: None

    def __call__(self, path: str, count: int) -> Answer:
        special = self.special(path, count)
        if special is not None:
            return special
        if path in LISTS:
            return Answer(body=list_page(LISTS.index(path) + 1), headers=HTML)
        if path in ARTICLES:
            return Answer(body=article(path), headers=HTML)
        return Answer(404, b"nothing here")


def side_by_side(sites: Mapping[str, Callable[[str, int], Answer]]) -> Callable[[str, int], Answer]:
    """Sites on one server, each in a folder of its name: a crawl of many costs hardly more than one of a single one."""

    def answer(path: str, count: int) -> Answer:
        folder, _, rest = path.lstrip("/").partition("/")
        if folder not in sites:
            return Answer(404, b"nothing here")
        found = sites[folder](f"/{rest}", count)
        ways = {"Location": lambda way: f"/{folder}{way}" if way.startswith("/") else way}
        return replace(found, headers=tuple((name, ways.get(name, str)(value)) for name, value in found.headers))

    return answer


def names(cases: Iterable[str]) -> dict[str, str]:
    """Case → the name of its site."""
    return {case: f"s{number}" for number, case in enumerate(cases)}


def nightly(data: Path, script: Script, sites: Iterable[str] = ()) -> int:
    """A night over the one site of the server, or over its sites side by side."""
    files = [site_file(data.parent, f"{script.base}/{name}", name=name) for name in sites]
    files = files or [site_file(data.parent, script.base)]
    options = [option for file in files for option in ("--site-file", str(file))]
    _, errors = (process := gongkai(data, "nightly", *options, code=SETUP + COMMAND)).communicate(timeout=100)
    assert "Traceback" not in errors, errors
    return process.returncode


def channel(data: Path, site: str = "small") -> tuple[str, str]:
    return rows(data, "SELECT status, because FROM channel_runs WHERE site = ? ORDER BY run_id DESC LIMIT 1", site)[0]


def listed(data: Path, site: str) -> int:
    return one(data, "SELECT count(*) FROM listings WHERE site = ?", site)


def test_the_list_is_whole_when_nothing_is_amiss(tmp_path: Path):
    with served(Site()) as script:
        assert nightly(tmp_path / "data", script) == 0
    assert channel(tmp_path / "data") == ("complete", "")
    assert one(tmp_path / "data", "SELECT count(*) FROM listings") == len(ARTICLES)


AMISS = {
    "accepted": Answer(202),
    "no content": Answer(204),
    "a part": Answer(206, list_page(2)[:90], headers=HTML),
    "the first page": Answer(302, headers=(("Location", LIST),)),
    "the page before": Answer(302, headers=(("Location", LISTS[1]),)),
    "a circle": Answer(302, headers=(("Location", "/round.html"),)),
    "choices": Answer(300, b"<a href='x'>x</a>", headers=(*HTML, ("Location", "/elsewhere.html"))),
}


@pytest.fixture(scope="module")
def amiss_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good night, then one in which the last page of each list is answered so."""
    data, is_bad, known = tmp_path_factory.mktemp("amiss") / "data", False, names(AMISS)

    def site(amiss: str) -> Site:
        def special(path: str, _: int) -> Answer | None:
            if path == "/round.html":
                return Answer(302, headers=(("Location", LISTS[2]),))
            return AMISS[amiss] if is_bad and path == LISTS[2] else None

        return Site(special)

    with served(side_by_side({name: site(amiss) for amiss, name in known.items()})) as script:
        assert nightly(data, script, known.values()) == 0
        is_bad = True
        nightly(data, script, known.values())
    return data


@pytest.mark.parametrize("amiss", AMISS)
def test_a_page_of_the_list_that_says_nothing_ends_no_list(amiss: str, amiss_nights: Path):
    site = names(AMISS)[amiss]
    assert channel(amiss_nights, site)[0] == "incomplete", channel(amiss_nights, site)
    assert one(amiss_nights, "SELECT count(*) FROM changes WHERE kind = 'disappeared'") == 0


def test_an_answer_without_a_page_is_asked_again_by_the_next_run(tmp_path: Path):
    statuses, data = dict(zip(ARTICLES[3:], (202, 204, 206, 304), strict=False)), tmp_path / "data"

    def special(path: str, count: int) -> Answer | None:
        status = statuses.get(path, 200)
        return Answer(status, b"" if status in (204, 304) else b"<p>1</p>") if status != 200 and count == 1 else None

    with served(Site(special)) as script:
        urls = [script.base + path for path in statuses]
        nightly(data, script)
        for url in urls:
            assert one(data, "SELECT count(*) FROM findings WHERE url = ? AND code = 'fetch_failed'", url) == 1, url
            assert one(data, "SELECT count(*) FROM pages WHERE url = ?", url) == 0, url
        nightly(data, script)
    for url in urls:
        assert one(data, "SELECT count(*) FROM pages WHERE url = ?", url) == 1, url
        assert rows(data, "SELECT kind FROM changes WHERE url = ?", url) == [("appeared",)], url


def test_pages_that_redirect_to_each_other_are_said(tmp_path: Path):
    first, second = ARTICLES[0], "/there.html"
    ways = {first: second, second: first}

    def special(path: str, _: int) -> Answer | None:
        return Answer(302, headers=(("Location", ways[path]),)) if path in ways else None

    with served(Site(special)) as script:
        nightly(tmp_path / "data", script)
        url = script.base + second
    assert rows(tmp_path / "data", "SELECT url FROM findings WHERE code = 'redirect_limit'") == [(url,)]


def test_a_list_page_that_goes_on_behind_its_end_is_not_whole(tmp_path: Path):
    """Its Content-Length counts to the third entry. The rest comes when that has long been read."""
    data, whole = tmp_path / "data", list_page(2)
    end = [at for at in range(len(whole)) if whole.startswith(b"</li>", at)][2]

    def special(path: str, _: int) -> Answer | None:
        return Answer(body=whole[:end], headers=HTML, late=whole[end:]) if path == LISTS[1] else None

    with served(Site(special)) as script:
        nightly(data, script)
    assert channel(data)[0] == "incomplete", channel(data)
    assert "bytes_after_end" in channel(data)[1]


def moving(script_of: Callable[[], int]) -> Callable[[str, int], Answer | None]:
    """In the nights that `script_of` gives as 2, the fifth entry is taken off between the first page and the second."""

    def special(path: str, _: int) -> Answer | None:
        if script_of() != 2 or path not in LISTS[1:]:
            return None
        left = [*ARTICLES[:4], *ARTICLES[5:]]
        number = LISTS.index(path)
        return Answer(body=list_page(number + 1, left), headers=HTML)

    return special


def test_an_entry_that_moves_up_a_page_while_the_list_is_read_has_not_disappeared(tmp_path: Path):
    """The list says how many pages it has, which stays the same, and not how many entries."""
    night, data = 0, tmp_path / "data"
    with served(Site(moving(lambda: night))) as script:
        for _ in range(3):
            night += 1
            assert nightly(data, script) == 0
            said = rows(data, "SELECT status FROM channel_runs ORDER BY run_id")
            assert one(data, "SELECT count(*) FROM changes WHERE kind = 'disappeared'") == 0
    assert said == [("complete",), ("unknown",), ("complete",)]


def test_an_entry_that_two_readings_have_not_got_has_disappeared(tmp_path: Path):
    night, data = 0, tmp_path / "data"

    def special(path: str, _: int) -> Answer | None:
        if night == 1 or path not in LISTS:
            return None
        return Answer(body=list_page(LISTS.index(path) + 1, [*ARTICLES[:6], *ARTICLES[7:]]), headers=HTML)

    with served(Site(special)) as script:
        for _ in range(3):
            night += 1
            assert nightly(data, script) == 0
        url = script.base + ARTICLES[6]
    assert rows(data, "SELECT status FROM channel_runs ORDER BY run_id") == [("complete",), ("unknown",), ("complete",)]
    assert rows(data, "SELECT url FROM changes WHERE kind = 'disappeared'") == [(url,)]


def test_a_page_of_the_list_that_is_an_earlier_one_again_is_said(tmp_path: Path):
    """The fourth page is the second: neither the first nor the one before it."""
    pages, data, is_bad = [*LISTS, "/col/col33/index_4.html"], tmp_path / "data", False
    articles = [f"/art/2023/4/{n}.html" for n in range(1, 21)]

    def special(path: str, _: int) -> Answer | None:
        if path in articles:
            return Answer(body=article(path), headers=HTML)
        if path not in pages:
            return None
        number = pages.index(path) + 1
        return Answer(body=list_page(2 if is_bad and number == 4 else number, articles, pages), headers=HTML)

    with served(Site(special)) as script:
        assert nightly(data, script) == 0
        assert channel(data) == ("complete", "")
        is_bad = True
        nightly(data, script)
        nightly(data, script)
    assert channel(data) == ("incomplete", "list_repeated")
    assert one(data, "SELECT count(*) FROM changes WHERE kind = 'disappeared'") == 0


_FOURTH = "/col/col33/index_4.html"
ENDS = {
    "all entries were read": ("共15条 共4页", None, ("complete", "")),
    "fewer entries than declared": (
        "共16条 共4页",
        None,
        ("incomplete", "list_repeated, list_short, fewer than declared"),
    ),
    "pages alone are declared": ("共4页", None, ("incomplete", "list_repeated")),
    "nothing is declared, and the way ends": ("", None, ("unknown", "")),
    "nothing is declared, and the way goes on to the same": ("", _FOURTH, ("incomplete", "list_repeated")),
}


BACK = {
    f"{said or 'nothing declared'}, back to page {page}": (said, LISTS[page - 1], status)
    for said, status in (("共3页", "incomplete"), ("", "unknown"))
    for page in (1, 2)
}


def repeating(said: str, way: str | None) -> Site:
    """The third page links to a fourth, which holds what the third does, and leads on as `way` says."""
    pages = [*LISTS, _FOURTH]

    def special(path: str, _: int) -> Answer | None:
        if path not in pages:
            return None
        number = min(pages.index(path), 2)
        following = pages[number + 1] if path != _FOURTH else way
        return paged(ARTICLES[number * PER_PAGE : (number + 1) * PER_PAGE], said, following)

    return Site(special)


def leading_back(said: str, back: str) -> Site:
    """The second page leads to an earlier one, or to itself."""

    def special(path: str, _: int) -> Answer | None:
        if path not in LISTS:
            return None
        number = LISTS.index(path)
        return paged(ARTICLES[number * PER_PAGE : (number + 1) * PER_PAGE], said, LISTS[1] if path == LIST else back)

    return Site(special)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night over lists that end in each of these ways."""
    data, known = tmp_path_factory.mktemp("ends") / "data", names((*ENDS, *BACK))
    sites = {end: repeating(said, way) for end, (said, way, _) in ENDS.items()}
    sites |= {end: leading_back(said, back) for end, (said, back, _) in BACK.items()}
    with served(side_by_side({known[end]: site for end, site in sites.items()})) as script:
        nightly(data, script, known.values())
    return data


@pytest.mark.parametrize("end", ENDS)
def test_a_last_page_that_comes_again_ends_a_list_only_where_its_end_is_proven(end: str, ended: Path):
    site = names((*ENDS, *BACK))[end]
    assert channel(ended, site) == ENDS[end][2]
    assert listed(ended, site) == len(ARTICLES)


@pytest.mark.parametrize("end", BACK)
def test_a_way_on_that_leads_back_is_the_end_of_no_declared_list(end: str, ended: Path):
    site = names((*ENDS, *BACK))[end]
    assert channel(ended, site)[0] == BACK[end][2], channel(ended, site)


def test_a_list_of_a_304_whose_body_is_gone_is_not_whole(tmp_path: Path):
    """The server says that its second page is what it was; the archive has lost what that is."""
    data, tag = tmp_path / "data", (*HTML, ("ETag", '"a"'))
    is_unmodified = False

    def special(path: str, _: int) -> Answer | None:
        if path != LISTS[1]:
            return None
        return Answer(304) if is_unmodified else Answer(body=list_page(2), headers=tag)

    with served(Site(special)) as script:
        assert nightly(data, script) == 0
        for file in (data / "warc").glob("*.warc.gz"):
            file.rename(file.with_suffix(".away"))
        is_unmodified = True
        nightly(data, script)
    assert (
        one(data, "SELECT outcome FROM captures WHERE url = ? ORDER BY capture_id DESC LIMIT 1", script.base + LISTS[1])
        == "not_modified"
    )
    assert channel(data)[0] == "incomplete"
    assert "list_incomplete" in channel(data)[1]
    assert one(data, "SELECT count(*) FROM changes WHERE kind = 'disappeared'") == 0


def test_a_page_that_sends_browsers_on_leads_to_what_it_was_put_there_for(tmp_path: Path):
    """One from the first night on; one in whose place it stands from the second, which has moved then."""
    stub, moves = b"<html><meta http-equiv='refresh' content='0; url=/new/1.html'></html>", False
    data, target = tmp_path / "data", ARTICLES[1]

    def special(path: str, _: int) -> Answer | None:
        if path == ARTICLES[0]:
            return Answer(body=stub, headers=HTML)
        if path == target and moves:
            return Answer(body=stub.replace(b"1.html", b"2.html"), headers=HTML)
        return Answer(body=article(path), headers=HTML) if path.startswith("/new/") else None

    with served(Site(special)) as script:
        assert nightly(data, script) == 0
        assert one(data, "SELECT count(*) FROM pages WHERE url = ?", f"{script.base}/new/1.html") == 1
        moves = True
        gongkai_full(data, script)
        moved = rows(data, "SELECT url FROM changes WHERE kind = 'moved'")
    assert moved == [(script.base + target,)]


STUBS = {
    "refresh": "<html><meta http-equiv='refresh' content='0;url={}'></html>",
    "script": "<html><script type='text/javascript'>\n  window.location.href = \"{}\";\n</script></html>",
}


@pytest.mark.parametrize("kind", STUBS)
def test_a_file_behind_a_page_that_sends_browsers_on_is_the_attachment(kind: str, tmp_path: Path):
    """Over two such pages, and one whose way ends at the homepage."""
    data, page = tmp_path / "data", ARTICLES[0]
    ways = {"/files/a.pdf": "/files/b.pdf", "/files/b.pdf": "/store/b.txt", "/files/c.pdf": "/"}

    def special(path: str, _: int) -> Answer | None:
        if path == page:
            links = "<a href='/files/a.pdf'>附件：工作报告</a><a href='/files/c.pdf'>附件：统计表</a>"
            return Answer(body=article(path).replace(b"</div>", f"{links}</div>".encode()), headers=HTML)
        if path in ways:
            return Answer(body=STUBS[kind].format(ways[path]).encode(), headers=HTML)
        return Answer(body="政府信息公开工作年度报告".encode() * 9) if path == "/store/b.txt" else None

    with served(Site(special)) as script:
        assert nightly(data, script) == 0
        base = script.base
    assert rows(data, "SELECT outcome FROM captures WHERE url LIKE '%/files/%'") == [("redirect",)] * 3
    held = rows(
        data,
        "SELECT a.page_url, a.url, c.url FROM attachments a LEFT JOIN captures c USING (capture_id) ORDER BY a.url",
    )
    assert held == [
        (base + page, f"{base}/files/a.pdf", f"{base}/store/b.txt"),
        (base + page, f"{base}/files/c.pdf", None),
    ]
    assert rows(data, "SELECT url FROM findings WHERE code = 'redirect_to_home'") == [(f"{base}/files/c.pdf",)]


def gongkai_full(data: Path, script: Script) -> None:
    path = str(site_file(data.parent, script.base))
    process = gongkai(data, "crawl", "--site-file", path, "--full", code=SETUP + COMMAND)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors


GONE = {"not found": Answer(404, b"nothing here"), "the homepage": Answer(302, headers=(("Location", "/"),))}


def test_an_address_that_is_gone_is_said_when_it_goes_and_not_each_time_it_is_asked_again(tmp_path: Path):
    """They go in the second run, still are gone in the fourth, are back in the fifth, and go again."""
    run, data, ways = 0, tmp_path / "data", dict(zip(ARTICLES[1:], GONE, strict=False))

    def special(path: str, _: int) -> Answer | None:
        if path not in ways or run in (1, 5):
            return None
        return Answer(403, b"<p>403</p>") if run == 3 else GONE[ways[path]]

    query = "SELECT level, code FROM findings WHERE url = ? AND code <> 'fetch_failed' ORDER BY finding_id"
    codes = {"not found": "http_error", "the homepage": "redirect_to_home"}
    with served(Site(special)) as script:
        urls = {way: script.base + path for path, way in ways.items()}
        for _ in range(6):
            run += 1
            options = ("--site-file", str(site_file(tmp_path, script.base)), "--full")
            gongkai(data, "crawl", *options, code=SETUP + COMMAND).communicate(timeout=100)
    said = {
        way: [("warning", code), ("warning", "http_error"), ("info", code), ("warning", code)]
        for way, code in codes.items()
    }
    assert {way: rows(data, query, url) for way, url in urls.items()} == said
    assert {one(data, "SELECT count(*) FROM captures WHERE url = ?", url) for url in urls.values()} == {6}
    process = gongkai(data, "extract", "--full")
    process.communicate(timeout=100)
    assert process.returncode == 0
    assert {way: rows(data, query, url) for way, url in urls.items()} == said


def test_a_page_behind_a_login_has_not_moved_to_the_form(tmp_path: Path):
    run, data, target = 0, tmp_path / "data", ARTICLES[1]
    form = "<html><title>登录</title><form><input name='u'><input type='password' name='p'></form></html>"

    def special(path: str, _: int) -> Answer | None:
        if path == "/login":
            return Answer(body=form.encode(), headers=HTML)
        return Answer(302, headers=(("Location", "/login"),)) if path == target and run > 1 else None

    with served(Site(special)) as script:
        path = str(site_file(tmp_path, script.base))
        for _ in range(3):
            run += 1
            gongkai(data, "crawl", "--site-file", path, "--full", code=SETUP + COMMAND).communicate(timeout=100)
    assert one(data, "SELECT count(*) FROM findings WHERE code = 'login_page'") == 1
    assert rows(data, "SELECT kind, url FROM changes WHERE kind <> 'appeared'") == []


def test_an_address_that_answers_with_two_documents_in_turn_is_said(tmp_path: Path):
    night, data, target = 0, tmp_path / "data", ARTICLES[1]

    def special(path: str, _: int) -> Answer | None:
        return Answer(body=article(f"/art/2023/4/{night % 2}-told.html"), headers=HTML) if path == target else None

    with served(Site(special)) as script:
        for _ in range(4):
            night += 1
            gongkai_full(data, script)
        url = script.base + target
    kinds = rows(data, "SELECT kind FROM changes WHERE url = ? ORDER BY change_id", url)
    assert kinds == [("appeared",), *[("content_changed",)] * 3]
    assert one(data, "SELECT count(*) FROM findings WHERE code = 'content_back_and_forth' AND url = ?", url) == 2
    assert one(data, "SELECT count(*) FROM findings WHERE code = 'content_back_and_forth'") == 2


_SECOND = list_page(2)
_WRONG_CRC = gzip.compress(_SECOND)[:-8] + bytes(4) + gzip.compress(_SECOND)[-4:]
GZIP = (*HTML, ("Content-Encoding", "gzip"))
AS_SENT = {
    "rubbish after gzip": (Answer(body=gzip.compress(_SECOND) + b"\0\0rubbish", headers=GZIP), "complete", 15),
    "gzip with a wrong checksum": (Answer(body=_WRONG_CRC, headers=GZIP), "incomplete", 15),
    "gzip cut short": (Answer(body=gzip.compress(_SECOND)[:-60], headers=GZIP), "incomplete", None),
    "GBK called utf-8": (Answer(body=_SECOND.decode().encode("gbk"), headers=HTML), "complete", 15),
    "GBK with a mark of UTF-8": (
        Answer(body=b"\xef\xbb\xbf" + _SECOND.decode().encode("gbk"), headers=HTML),
        "complete",
        15,
    ),
    "a head of 100 KB": (Answer(body=_SECOND, headers=(*HTML, *[("X-Trace", "a" * 1000)] * 100)), "complete", 15),
    "a redirect to GBK with blanks": (
        Answer(307, headers=(("Location", "列 表 2.html".encode("gbk").decode("latin-1")),)),
        "complete",
        15,
    ),
}


@pytest.fixture(scope="module")
def sent_oddly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night over lists whose second page is sent so."""
    data, known = tmp_path_factory.mktemp("sent") / "data", names(AS_SENT)

    def site(answer: Answer) -> Site:
        def special(path: str, _: int) -> Answer | None:
            if path == "/col/col33/%C1%D0%20%B1%ED%202.html":
                return Answer(body=_SECOND, headers=HTML)
            return answer if path == LISTS[1] else None

        return Site(special)

    with served(side_by_side({known[sent]: site(answer) for sent, (answer, _, _) in AS_SENT.items()})) as script:
        nightly(data, script, known.values())
    return data


@pytest.mark.parametrize("sent", AS_SENT)
def test_a_page_of_the_list_that_is_sent_oddly_is_read_or_said(sent: str, sent_oddly: Path):
    _, status, count = AS_SENT[sent]
    site = names(AS_SENT)[sent]
    assert channel(sent_oddly, site)[0] == status, channel(sent_oddly, site)
    if count is not None:
        titles = {title for (title,) in rows(sent_oddly, "SELECT title FROM listings WHERE site = ?", site)}
        assert (len(titles), all(title.startswith("关于第") for title in titles)) == (count, True), titles
