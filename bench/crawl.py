"""A whole crawl beside its peers: pages per second, CPU per 1,000 pages, peak memory, in one run on one machine.

    python bench/crawl.py [--pages N] [--runs N] [--only NAME …]

nginx serves generated pages (5 to 30 KB, gzip for those who ask for it), list pages that link all of them, and files;
it is started here and stopped here. Every crawler is a process of its own; its figures are what the operating system
says of it once it has ended (user and system time, largest resident size). Medians of the runs, each of which goes
through all crawlers. A crawler that is not installed is left out with a line. Needs nginx; wget for its rows.

    gongkai            exact WARC, digests, groups committed durably, SQLite
    gongkai, reading   the same, then every page and file read (extraction)
    without fsync      the same as the first, nothing forced to the disk
    wget               --recursive --warc-file, WARC compressed or plain; asks for no gzip, which is its default
    scrapy             default settings, a link extractor, nothing kept
    asyncio            the addresses are known, nothing parsed, nothing kept

Below the table stand what hashing takes, and what forcing every group to the disk takes. Ratios travel between
machines; seconds do not, and on a loaded machine CPU travels better than pages per second: the load is printed.
`make bench` runs it as it is (5,000 pages, 3 runs: some minutes); how memory grows is shown by
`--pages 50000 --runs 1 --only gongkai`.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
ROWS_ON_LIST = 100
LISTS_IN_CHANNEL = 10
PAGES_PER_FILE = 20
AT_ONCE = 16
WORDS = (
    "政府信息公开年度报告申请答复复议诉讼机关办理结果行政规范性文件主动依法工作情况制度建设平台栏目群众受理咨询监督保障培训考核整改"
    "措施落实部门街道民生财政预算采购项目审批服务事项清单更新发布解读政策"
)

NGINX = """
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    types {{ text/html html; application/pdf pdf; image/png png; }}
    charset utf-8;
    gzip_static on;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port}; root {root}; index index.html; }}
}}
"""

SCRAPY = """
import sys
from scrapy import Spider
from scrapy.crawler import CrawlerProcess
from scrapy.linkextractors import LinkExtractor

class Everything(Spider):
    name = "everything"
    start_urls = [sys.argv[1]]
    links = LinkExtractor(deny_extensions=[])

    def parse(self, response):
        if b"html" in response.headers.get("Content-Type", b""):
            for link in self.links.extract_links(response):
                yield response.follow(link)

process = CrawlerProcess({"LOG_LEVEL": "WARNING"})
process.crawl(Everything)
process.start()
"""


# The site


def text(dice: random.Random, length: int) -> str:
    return "".join(dice.choices(WORDS, k=length))


def menu(dice: random.Random, channels: int, pages: int) -> str:
    """What every page of a portal links to: its columns, and some articles beside the one that is read."""
    columns = "".join(f'<li><a href="/c{n % channels}/index.html">{text(dice, 4)}</a></li>' for n in range(20))
    others = "".join(
        f'<li><a href="{address(dice.randrange(pages), channels)}">{text(dice, 12)}</a></li>' for _ in range(15)
    )
    logo = '<img src="/images/logo.png" alt="">'
    return f'{logo}<div class="nav"><ul>{columns}</ul></div><div class="sidenav"><ul>{others}</ul></div>'


def address(page: int, channels: int) -> str:
    month = f"{2020 + page % 5}{page % 12 + 1:02}"
    return f"/c{page % channels}/{month}/t{month}{page % 28 + 1:02}_{page}.html"


def article(page: int, pages: int, channels: int, shared: str) -> str:
    dice = random.Random(page)
    title = f"关于{text(dice, 10)}的通知（{page}）"
    day = f"{2020 + page % 5}-{page % 12 + 1:02}-{page % 28 + 1:02}"
    body, wanted = "", dice.randint(900, 9000)
    while len(body) < wanted:
        body += f'<p style="text-indent:2em">{text(dice, dice.randint(40, 180))}。</p>\n'
    if page % PAGES_PER_FILE == 0:
        body += f'<p>附件：<a href="P{page}.pdf" title="{text(dice, 8)}.pdf">{text(dice, 8)}.pdf</a></p>\n'
    near = "".join(
        f'<a href="{address(other % pages, channels)}">{text(dice, 12)}</a>\n' for other in (page - 1, page + 1)
    )
    return f"""<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8"><title>{title}-测试区政府</title>
<meta name="SiteName" content="测试区政府"><meta name="ArticleTitle" content="{title}">
<meta name="PubDate" content="{day} 09:30"><meta name="ContentSource" content="区政府办"></head><body>
<div class="header">{shared}</div><table class="xxgk"><tr><td>索引号</td><td>11230103/{page}</td><td>发布机构</td>
<td>区政府办</td></tr><tr><td>文号</td><td>测政发〔2023〕{page % 90}号</td><td>发布日期</td><td>{day}</td></tr></table>
<h1>{title}</h1><div class="TRS_Editor">{body}</div><div class="near">{near}</div>
<div class="footer">主办：测试区人民政府办公室 网站标识码：2301030001</div></body></html>"""


def list_page(channel: int, number: int, members: list[int], channels: int, shared: str) -> str:
    dice = random.Random(f"{channel} {number}")
    shown = members[number * ROWS_ON_LIST : (number + 1) * ROWS_ON_LIST]
    rows = "".join(
        f'<li><a href="{address(page, channels)}" title="关于第{page}号事项的通知">关于第{page}号事项的通知</a>'
        f"<span>{2020 + page % 5}-{page % 12 + 1:02}-{page % 28 + 1:02}</span></li>\n"
        for page in shown
    )
    count = -(-len(members) // ROWS_ON_LIST)
    further = "".join(f'<a href="index{f"_{n}" if n else ""}.html">{n + 1}</a>' for n in range(count))
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{text(dice, 6)}</title></head><body>
<div class="header">{shared}</div><div class="list"><ul class="newslist">{rows}</ul></div>
<div class="page"><script>createPageHTML({count}, {number}, "index", "html");</script>{further}</div></body></html>"""


def small_pdf() -> bytes:
    from reportlab.pdfgen import canvas

    buffer = io.BytesIO()
    pdf = canvas.Canvas(buffer, pageCompression=0)
    for line in range(60):
        pdf.drawString(40, 800 - 12 * line, f"line {line} " * 10)
    pdf.save()
    return buffer.getvalue()


@dataclass(frozen=True)
class Portal:
    """A generated site: its folder, and every address on it in the order of the lists."""

    folder: Path
    paths: tuple[str, ...]
    channels: int


def portal(folder: Path, pages: int) -> Portal:
    """Writes the site; text both as it is and compressed, so that the server need not compress."""
    channels = max(1, -(-pages // (ROWS_ON_LIST * LISTS_IN_CHANNEL)))
    shared = menu(random.Random(7), channels, pages)
    paths: list[str] = []

    def put(path: str, content: bytes) -> None:
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if path.endswith(".html"):
            (file.parent / f"{file.name}.gz").write_bytes(gzip.compress(content, 6, mtime=0))
        paths.append(path)

    pdf = small_pdf()
    for channel in range(channels):
        members = list(range(channel, pages, channels))
        for number in range(-(-len(members) // ROWS_ON_LIST)):
            name = f"/c{channel}/index{f'_{number}' if number else ''}.html"
            put(name, list_page(channel, number, members, channels, shared).encode())
    for page in range(pages):
        path = address(page, channels)
        put(path, article(page, pages, channels, shared).encode())
        if page % PAGES_PER_FILE == 0:
            put(f"{path.rpartition('/')[0]}/P{page}.pdf", pdf + b"%% %d\n" % page)
    links = "".join(f'<a href="/c{channel}/index.html">{channel}</a>' for channel in range(channels))
    put("/images/logo.png", b"\x89PNG\r\n\x1a\n" + bytes(2000))
    put("/index.html", f"<html><head><title>portal</title></head><body>{links}</body></html>".encode())
    return Portal(folder, tuple(paths), channels)


def site_file(folder: Path, site: Portal, base: str) -> Path:
    path = folder / "bench.toml"
    channels = "\n".join(f'c{n} = "{base}/c{n}/index.html"' for n in range(site.channels))
    path.write_text(
        f"""agency = "测试区政府"
division_code = "230103"
platform = "trs"
[politeness]
delay_seconds = 0
concurrent_requests = {AT_ONCE}
obey_robots = false
allow_private_hosts = true
[channels]
{channels}
""",
        encoding="utf-8",
    )
    return path


@contextmanager
def nginx(folder: Path, root: Path) -> Iterator[str]:
    """A server for `root` on loopback; yields its address without a slash at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, root=root), encoding="ascii")
    command = ["nginx", "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if server.poll() is not None:
                raise SystemExit("nginx did not start") from None
            time.sleep(0.05)
        else:
            return
    raise SystemExit("nginx does not answer")


# Ourselves, in a process of our own: python bench/crawl.py --as MODE DATA SITE_FILE


def capture(data: Path, path: Path) -> None:
    from crawler.crawl import fetch
    from crawler.session import Options, Session
    from crawler.site import load_site

    with Session(data, (load_site(path),), Options()) as session:
        fetch(session)


def capture_and_read(data: Path, path: Path) -> None:
    from crawler.crawl import crawl
    from crawler.site import load_site

    crawl(data, (load_site(path),))


def capture_without_fsync(data: Path, path: Path) -> None:
    from archive.files import DiskAppendFile, DiskFiles
    from archive.store import Store

    def nothing(*_: object) -> None:
        pass

    DiskAppendFile.fdatasync = nothing  # type: ignore[assignment]
    DiskFiles.fsync_dir = nothing  # type: ignore[assignment]
    Store.synchronous = "OFF"
    capture(data, path)


def known_addresses(base: str, listed: Path) -> None:
    """The least there is to fetching: one request after another on each of a few connections."""
    addresses = iter(json.loads(listed.read_text()))
    host, port = urlsplit(base).hostname, urlsplit(base).port

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
        for path in addresses:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            await reader.readexactly(int(length))
        writer.close()

    async def everything() -> None:
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))

    asyncio.run(everything())


# Measuring


@dataclass(frozen=True)
class Figures:
    """Of one finished process: seconds, CPU seconds (user and system), largest resident MB; how many pages it had."""

    seconds: float
    cpu: float
    megabytes: float
    pages: int


# A process is never smaller than the one that started it was, as the operating system counts: so a small one starts it.
STARTER = """
import json, os, signal, sys, time
output = os.open("output", os.O_WRONLY | os.O_CREAT)
started = time.perf_counter()
child = os.posix_spawnp(
    sys.argv[1], sys.argv[1:], os.environ,
    file_actions=[(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)],
)
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
"""


def measured(command: list[str], folder: Path, pages: Callable[[], int]) -> Figures:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    starter = [sys.executable, "-S", "-c", STARTER, *command]
    with subprocess.Popen(starter, cwd=folder, stdout=subprocess.PIPE, env=environment) as process:
        try:
            said, _ = process.communicate()
        except BaseException:
            process.terminate()
            raise
    code, seconds, cpu, megabytes = json.loads(said)
    # wget says 8 when any address was not there.
    if code not in (0, 8):
        print((folder / "output").read_text(errors="replace")[-2000:], file=sys.stderr)
        raise SystemExit(f"{command[:4]} ended with {code}")
    return Figures(seconds, cpu, megabytes, pages())


def responses(data: Path) -> int:
    import sqlite3

    with sqlite3.connect(data / "corpus.db") as connection:
        return int(connection.execute("SELECT count(*) FROM captures WHERE http_status = 200").fetchone()[0])


def records_of(file: Path) -> int:
    from warcio.archiveiterator import ArchiveIterator

    with file.open("rb") as stream:
        return sum(record.rec_type in ("response", "revisit") for record in ArchiveIterator(stream))


def contenders(site: Portal, base: str, path: Path, listed: Path) -> dict[str, Callable[[Path], Figures]]:
    python = sys.executable

    def ours(mode: str) -> Callable[[Path], Figures]:
        return lambda folder: measured(
            [python, str(Path(__file__).resolve()), "--as", mode, str(folder / "data"), str(path)],
            folder,
            lambda: responses(folder / "data"),
        )

    def wget(*options: str, suffix: str) -> Callable[[Path], Figures]:
        command = ["wget", "-q", "--recursive", "--level=inf", "-e", "robots=off", "--warc-file=site", *options]
        return lambda folder: measured([*command, base + "/"], folder, lambda: records_of(folder / f"site.{suffix}"))

    def scrapy(folder: Path) -> Figures:
        (folder / "spider.py").write_text(SCRAPY)
        return measured([python, "spider.py", base + "/"], folder, lambda: len(site.paths))

    def least(folder: Path) -> Figures:
        command = [python, str(Path(__file__).resolve()), "--as", "known", base, str(listed)]
        return measured(command, folder, lambda: len(site.paths))

    found: dict[str, Callable[[Path], Figures]] = {
        "gongkai": ours("capture"),
        "gongkai, reading": ours("read"),
        "without fsync": ours("unsynced"),
        "wget, compressed": wget(suffix="warc.gz"),
        "wget, plain": wget("--no-warc-compression", suffix="warc"),
        "scrapy": scrapy,
        "asyncio": least,
    }
    if shutil.which("wget") is None:
        print("wget is not installed: left out")
        return {name: run for name, run in found.items() if not name.startswith("wget")}
    return found


def hashing(folder: Path) -> float:
    """CPU seconds per 1,000 captures that sha256 takes: every block once, every payload once."""
    from archive.http1 import payload
    from archive.reader import records

    blocks = [
        (located.record.type, located.record.block)
        for file in (folder / "data" / "warc").glob("*.warc.gz")
        for located in records(file)
        if located.record is not None
    ]
    pieces = [block for _, block in blocks] + [payload(block) for kind, block in blocks if kind == "response"]
    started = time.process_time()
    for piece in pieces:
        hashlib.sha256(piece).hexdigest()
    spent = time.process_time() - started
    return spent / sum(kind == "response" for kind, _ in blocks) * 1000


def table(found: dict[str, list[Figures]]) -> None:
    def median(name: str, value: Callable[[Figures], float]) -> float:
        return statistics.median(value(figures) for figures in found[name])

    peer = next((name for name in ("wget, compressed", "wget, plain") if name in found), next(iter(found)))
    print(f"\n{'':18} {'pages/s':>8} {'CPU s/1,000':>12} {'peak MB':>8} {'pages':>7}   against {peer}: pages/s, CPU")
    base_speed, base_cpu = (
        median(peer, lambda figures: figures.pages / figures.seconds),
        median(peer, lambda figures: figures.cpu / figures.pages),
    )
    for name in found:
        speed = median(name, lambda figures: figures.pages / figures.seconds)
        cpu = median(name, lambda figures: figures.cpu / figures.pages)
        print(
            f"{name:18} {speed:8,.0f} {cpu * 1000:12.3f} {median(name, lambda figures: figures.megabytes):8.0f}"
            f" {found[name][0].pages:7,}   {speed / base_speed:24.2f}, {cpu / base_cpu:.2f}"
        )


def cost_of_durability(durable: list[Figures], other: list[Figures]) -> str:
    def more(value: Callable[[Figures], float]) -> float:
        pairs = zip(durable, other, strict=True)
        return 1000 * statistics.median(value(one) / one.pages - value(two) / two.pages for one, two in pairs)

    cpu, seconds = more(lambda figures: figures.cpu), more(lambda figures: figures.seconds)
    return f"forcing every group to the disk: {cpu:.3f} CPU s, {seconds:.3f} s / 1,000 pages"


def bench(pages: int, runs: int, only: list[str]) -> None:
    if shutil.which("nginx") is None:
        raise SystemExit("nginx is not installed (Debian, Ubuntu: apt-get install nginx-light)")
    with tempfile.TemporaryDirectory(prefix="gongkai-bench-") as name:
        folder = Path(name)
        (folder / "site").mkdir()
        site = portal(folder / "site", pages)
        listed = folder / "paths.json"
        listed.write_text(json.dumps(site.paths))
        load = f"{os.getloadavg()[0]:.1f}"
        print(f"{pages:,} pages, {len(site.paths):,} addresses, {AT_ONCE} at once, {runs} runs")
        with nginx(folder, folder / "site") as base:
            chosen = contenders(site, base, site_file(folder, site, base), listed)
            chosen = {key: run for key, run in chosen.items() if not only or key in only}
            found: dict[str, list[Figures]] = {key: [] for key in chosen}
            hashed: list[float] = []
            for number in range(runs):
                for key, run in chosen.items():
                    place = folder / f"run{number}-{key.replace(', ', '-')}"
                    place.mkdir()
                    found[key].append(run(place))
                    if key == "gongkai":
                        hashed.append(hashing(place))
                    shutil.rmtree(place)
        table(found)
        if hashed:
            print(f"\nsha256 of every block and payload: {statistics.median(hashed):.3f} CPU s / 1,000 pages")
        if "gongkai" in found and "without fsync" in found:
            print(cost_of_durability(found["gongkai"], found["without fsync"]))
        print(f"load when it began {load}, when it ended {os.getloadavg()[0]:.1f}; {os.cpu_count()} processors")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pages", type=int, default=5000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--only", nargs="*", default=[], metavar="NAME")
    options.add_argument("--as", dest="mode", choices=["capture", "read", "unsynced", "known"], help=argparse.SUPPRESS)
    options.add_argument("places", nargs="*", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.mode is None:
        bench(chosen.pages, chosen.runs, chosen.only)
        return
    first, second = chosen.places
    if chosen.mode == "known":
        known_addresses(first, Path(second))
        return
    modes = {"capture": capture, "read": capture_and_read, "unsynced": capture_without_fsync}
    modes[chosen.mode](Path(first), Path(second))


if __name__ == "__main__":
    main()
