"""What is called a document and is none: found by its bytes, said, and in no table of documents."""

from pathlib import Path

import pytest
from crawling import crawl, one, rows
from loopback import Answer, Column, article, served, site_file

from crawler.login import is_login_page

LOGIN = (
    "<html><title>统一身份认证</title><body><form>用户名<input name='u'>密码<input type='password' name='p'>"
    "请输入验证码<input name='c'><button>登录</button></form></body></html>"
)
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(200) + b"PE\x00\x00" + bytes(300)
FILES = {
    "/files/viewer.pdf": (PROGRAM, "application/pdf"),
    "/files/report.pdf": (article("/art/2022/1/5/art_33_9.html"), "application/pdf"),
    "/files/inner.doc": (LOGIN.encode(), "application/msword"),
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bytes")
    links = "".join(f"<p><a href='{path}'>附件{path[-10:]}</a></p>" for path in FILES)

    def answer(path: str, _count: int) -> Answer | None:
        if path in FILES:
            body, media_type = FILES[path]
            return Answer(body=body, headers=(("Content-Type", media_type),))
        if path == Column(3).paths[0]:
            body = f"<html><body><div id='zoom'><p>附件如下，请下载阅读。</p>{links}</div></body></html>"
            return Answer(body=body.encode())
        return Answer(body=LOGIN.encode()) if path == Column(3).paths[1] else None

    with served(Column(3, answer)) as script:
        assert crawl(folder, site_file(folder, script.base)).code == 0
    return folder


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("/files/viewer.pdf", {"unsupported"}),
        ("/files/report.pdf", {"type_mismatch"}),
        ("/files/inner.doc", {"login_page"}),
        (Column(3).paths[1], {"login_page"}),
    ],
)
def test_it_is_said(data_dir: Path, path: str, codes: set[str]):
    assert {code for (code,) in rows(data_dir, "SELECT code FROM findings WHERE url LIKE '%' || ?", path)} == codes


def test_none_of_them_is_a_document(data_dir: Path):
    assert one(data_dir, "SELECT count(*) FROM reports") == 0
    urls = {url.rpartition(":")[2].partition("/")[2] for (url,) in rows(data_dir, "SELECT url FROM pages")}
    assert urls == {Column(3).paths[0].lstrip("/"), Column(3).paths[2].lstrip("/")}


def test_their_bytes_are_archived_all_the_same(data_dir: Path):
    kept = one(data_dir, "SELECT count(*) FROM captures WHERE outcome IN ('ok', 'revisit') AND role = 'attachment'")
    assert kept == len(FILES)


def test_what_they_are_is_said_by_the_bytes(data_dir: Path):
    found = dict(rows(data_dir, "SELECT url, media_type FROM attachments"))
    assert {url.rpartition("/")[2]: kind for url, kind in found.items()} == {
        "viewer.pdf": "application/x-msdownload",
        "report.pdf": "text/html",
        "inner.doc": "text/html",
    }


def test_an_article_beside_a_form_to_log_in_is_an_article():
    form = "<form><input name='u'><input type='password'></form>"
    text = "本区自公布之日起施行，具体事项由有关部门负责解释。" * 20
    assert not is_login_page(f"<html><body>{form}<p>{text}</p></body></html>".encode())
    assert is_login_page(f"<html><body>{form}</body></html>".encode())


def test_talk_of_passwords_is_no_form():
    assert not is_login_page(b"<html><body>Never tell anyone your password.</body></html>")
