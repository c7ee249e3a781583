"""Bytes that no one wrote, given to the readers until one of them breaks.

    python tests/fuzz.py [TARGET …] [--seconds 60] [--seed 1] [--keep FOLDER]

Each target is given changed copies of good documents for so many seconds. With atheris (`pip install atheris`, wheels
for Linux and macOS) the changes follow what the code does with them: parsers are instrumented, and what takes a new way
through them is changed further. Without it changes are random. A reader may refuse (UnreadableDocumentError) and
nothing else; `read` may not even do that. It breaks where another exception leaves it, where one document takes longer
than ten seconds, or where a reading contradicts itself. The input is kept in FOLDER (default: where you are) under the
name of its target and digest, for `python tests/fuzz.py TARGET --input FILE`.

Packages (docx, xlsx, ofd, zip) are zip files, in which a changed byte is a broken checksum and no more: the targets
`docx-part`, `ofd-page`, `xlsx-part` and those of pictures change what is inside instead.
"""

# ruff: noqa: T201  a command of its own

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib
import importlib.util
import io
import os
import quopri
import random
import subprocess
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

SLOW = 10.0
_LONGEST = 1 << 20
_TOKENS = (
    b"\x00", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"<", b">", b"</", b"/>", b"&#0;", b"&#x10ffff;",
    b"]]>",
    b"<table>", b"<td colspan=9999 rowspan=0>", b"endobj", b"stream", b"\r\n", b"\t", b"|", b"99999999999999999999",
    b"-1", b"1e999", b"nan", b"\xe4\xb8\x80", b"\xa3\xa8", "一、总体情况".encode(), "总计".encode(),
)  # fmt: skip


_INSTRUMENTED = (
    "archive", "convertible", "doc", "docx", "excel_xml", "flat_docx", "html", "image", "mhtml", "mime", "ods", "ofd",
    "ofd_pictures", "ole", "pasted", "pdf", "scan", "sheet", "text", "workbook",
)  # fmt: skip
# Pixels across and down a piece of a scanned page: a cell or two, which take some 10 ms and not a page's 200.
_ACROSS, _DOWN = 160, 96


@dataclass(frozen=True)
class Target:
    """What is done with the bytes, and the documents that changes begin with."""

    run: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    longest: int = _LONGEST


# ------------------------------------------------------------ targets


def _reader(name: str) -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        from parsers.errors import UnreadableDocumentError

        module = importlib.import_module(f"parsers.readers.{name}")
        try:
            return module.read(data)
        except UnreadableDocumentError as error:
            assert error.code and error.message
            return None

    return run


def _members(data: bytes) -> object:
    from parsers.errors import UnreadableDocumentError
    from parsers.readers.archive import members

    try:
        return members(data)
    except UnreadableDocumentError:
        return None


def _scanned(data: bytes) -> object:
    """Bytes as the grey pixels of a page, read with the real model."""
    import numpy as np

    from parsers.readers import ocr, page_blocks
    from parsers.readers.scan import page_content

    height = len(data) // _ACROSS
    if not height:
        return None
    pixels = np.frombuffer(data[: height * _ACROSS], np.uint8).reshape(height, _ACROSS)
    content = page_content(pixels.copy(), number=1, recogniser=ocr.recogniser()).content
    assert len(content.characters.text) == len(content.characters.scores)
    return page_blocks.blocks([page_blocks.taken_apart(content, [])])


def _pasted(data: bytes) -> object:
    from parsers.readers import pasted

    blocks, findings = pasted.read([data])
    assert findings
    return blocks


def _whole(data: bytes) -> object:
    from parsers.reading import as_json, read

    reading = read(data)
    for fact in reading.facts:
        assert 0.0 <= fact.confidence <= 1.0, fact
        assert (fact.value is not None) == (fact.status in ("reported", "inferred")), fact
    return as_json(reading, "fuzz")


@cache
def _part(kind: str) -> Callable[[bytes], object]:
    member, package = _PACKAGES[kind]
    seed = _written(package)
    # A page of pictures is put together and not recognised, which takes ten times as long.
    read = _shown if package == "ofd-pictures" else _whole

    def run(data: bytes) -> object:
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(seed)) as old, zipfile.ZipFile(buffer, "w") as new:
            for name in old.namelist():
                new.writestr(zipfile.ZipInfo(name), data if name == member else old.read(name))
        return read(buffer.getvalue())

    return run


def _shown(data: bytes) -> object:
    from parsers.errors import UnreadableDocumentError
    from parsers.readers.ofd import scanned_page

    try:
        return scanned_page(data, 1)
    except UnreadableDocumentError:
        return None


_PACKAGES = {
    "docx-part": ("word/document.xml", "docx"),
    "docx-pictures": ("word/document.xml", "docx-pictures"),
    "ofd-page": ("Doc_0/Pages/Page_1/Content.xml", "ofd"),
    "ofd-picture": ("Doc_0/Res/0.jpg", "ofd-pictures"),
    "ofd-pictures": ("Doc_0/Pages/Page_0/Content.xml", "ofd-pictures"),
    "ofd-resources": ("Doc_0/DocumentRes.xml", "ofd-pictures"),
    "xlsx-part": ("xl/worksheets/sheet1.xml", "xlsx"),
}


@cache
def _written(kind: str) -> bytes:
    """One generated report in a format."""
    from crawler.replica.reports import draw_report, lay_out
    from crawler.replica.writers import docx, html, ofd, packed, pdf, sheet, text

    printed = lay_out(draw_report("fuzz", year=2022))
    writers: dict[str, Callable[[], bytes]] = {
        "docx": lambda: docx.write(printed),
        "html": lambda: html.write(printed),
        "docx-pictures": lambda: packed.write_zip(_with_pictures()),
        "excel-xml": lambda: sheet.write_excel_xml(printed),
        "flat-docx": lambda: _flat(docx.write(printed)),
        "fods": lambda: sheet.write_fods(printed),
        "mail": lambda: packed.write_mail([("年报.html", html.write(printed))]),
        "mhtml": lambda: _web_archive(html.write(printed)),
        "ofd": lambda: ofd.write(printed),
        "ofd-pictures": lambda: ofd.of_pictures(_pictures()[:2]),
        "pdf": lambda: pdf.write(printed),
        "text": lambda: text.write(printed),
        "xls": lambda: sheet.write_xls(printed),
        "xlsx": lambda: sheet.write_xlsx(printed),
        "zip": lambda: packed.write_zip([("年报.html", html.write(printed))]),
        "rar": lambda: packed.write_rar([("年报.html", html.write(printed))]),
    }
    return writers[kind]()


def _fixtures(*suffixes: str) -> list[bytes]:
    folder = ROOT / "tests" / "fixtures"
    return [path.read_bytes() for path in sorted(folder.rglob("input.*")) if path.suffix in suffixes]


def _seeds(*kinds: str, suffixes: Sequence[str] = ()) -> Callable[[], list[bytes]]:
    return lambda: [*(_written(kind) for kind in kinds), *_fixtures(*suffixes)]


def _part_seeds(kind: str) -> Callable[[], list[bytes]]:
    member, package = _PACKAGES[kind]

    def seeds() -> list[bytes]:
        with zipfile.ZipFile(io.BytesIO(_written(package))) as archive:
            return [archive.read(member)]

    return seeds


def _pictures() -> list[bytes]:
    """A small picture of every kind and mode, and a TIFF of two pages."""
    import numpy as np
    from PIL import Image

    grey = np.tile(np.arange(0, 256, 8, np.uint8), (24, 1))
    found = []
    modes = {"PNG": "1 L LA P RGBA", "TIFF": "1 L F CMYK", "JPEG": "L CMYK", "GIF": "P", "BMP": "RGB", "WEBP": "RGBA"}
    for kind, names in modes.items():
        for mode in names.split():
            picture = Image.fromarray(grey).convert("RGB" if mode == "CMYK" else "L").convert(mode)
            pages = {"save_all": True, "append_images": [picture]} if kind in ("TIFF", "GIF") else {}
            buffer = io.BytesIO()
            picture.save(buffer, kind, **pages)
            found.append(buffer.getvalue())
    return found


def _with_pictures() -> list[tuple[str, bytes]]:
    """The members of a docx that shows two pictures."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    relation = '<Relationship Id="r{0}" Type="{1}/{2}" Target="{3}"/>'
    relations = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    shown = "".join(f'<w:p><w:r><w:drawing><a:blip r:embed="r{n}"/></w:drawing></w:r></w:p>' for n in (1, 2))
    body = f"<w:body><w:p><w:r><w:t>政府信息公开年度报告</w:t></w:r></w:p>{shown}</w:body>"
    document = f'<w:document xmlns:w="{main}" xmlns:a="{drawing}" xmlns:r="{office}">{body}</w:document>'
    files = [f"media/{n}.png" for n in (1, 2)]
    images = "".join(relation.format(n, office, "image", file) for n, file in enumerate(files, 1))
    top = relation.format(1, office, "officeDocument", "word/document.xml")
    return [
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", relations.format(top).encode()),
        ("word/document.xml", document.encode()),
        ("word/_rels/document.xml.rels", relations.format(images).encode()),
        *((f"word/{file}", data) for file, data in zip(files, _pictures(), strict=False)),
    ]


def _flat(package: bytes) -> bytes:
    """A docx as one XML file."""
    parts = []
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        for name in archive.namelist():
            markup = archive.read(name).split(b"?>", 1)[-1]
            parts.append(b'<pkg:part pkg:name="/%s"><pkg:xmlData>%s</pkg:xmlData></pkg:part>' % (name.encode(), markup))
    start = b'<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">'
    return b"".join((start, *parts, b"</pkg:package>"))


def _web_archive(page: bytes) -> bytes:
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=P\r\n\r\n"
    part = b"--P\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n"
    return b"".join(
        (
            head,
            part % (b"quoted-printable", quopri.encodestring(page)),
            part % (b"base64", base64.encodebytes(page)),
            b"--P--\r\n",
        )
    )


def _rich_text() -> list[bytes]:
    return [rb"{\rtf1\ansicpg936{\*\x \{\}}\trowd\cellx900 \'c4\'ea\'b1\'a8\cell 12\cell\row\bin3 {{{\par}"]


def _page_pieces() -> list[bytes]:
    """Pieces of a scanned report, as pixels: such as are read at once, others are turned round and read four times."""
    from crawler.replica.writers import scan
    from crawler.replica.writers.scan import ScanStyle
    from parsers.readers import ocr
    from parsers.readers.scan import page_content

    found: list[bytes] = []
    for page in scan.pictures(_written("pdf"), style=ScanStyle(seal="grey"))[:2]:
        for top in range(300, 2000, 170):
            piece = page[top : top + _DOWN, 300 + top % 700 :][:, :_ACROSS].copy()
            score = page_content(piece, number=1, recogniser=ocr.recogniser()).score
            if score is None or score > 0.92:
                found.append(piece.tobytes())
    return found


def _seven_zip() -> bytes:
    """A .7z of two files, by libarchive."""
    found: list[bytes] = []

    def keep(block: bytes) -> int:
        found.append(bytes(block))
        return len(block)

    with importlib.import_module("libarchive").custom_writer(keep, "7zip") as archive:
        for name in ("年报.txt", "附件/说明.txt"):
            archive.add_file_from_memory(name, len(name), name.encode())
    return b"".join(found)


def _archives() -> list[bytes]:
    from crawler.replica.writers import packed

    inner = packed.write_rar([("说明.txt", b"a")])
    nested = packed.write_zip([("内.rar", inner), ("内.zip", packed.write_zip([("一.txt", b"b")]))])
    return [_written("zip"), _written("rar"), _seven_zip(), nested]


TARGETS: dict[str, Target] = {
    "text": Target(_whole, _seeds("text", suffixes=(".txt", ".md"))),
    "html": Target(_whole, _seeds("html", suffixes=(".html", ".htm"))),
    "docx": Target(_reader("docx"), _seeds("docx", suffixes=(".docx",))),
    "pdf": Target(_reader("pdf"), _seeds("pdf", suffixes=(".pdf",))),
    "flat-docx": Target(_reader("flat_docx"), _seeds("flat-docx")),
    "mhtml": Target(_reader("mhtml"), _seeds("mhtml")),
    "convertible": Target(_reader("convertible"), lambda: [*_rich_text(), *_fixtures(".odt", ".fodt", ".uot", ".rtf")]),
    "pasted": Target(_pasted, lambda: _pictures()),
    "doc": Target(_reader("doc"), lambda: _fixtures(".doc")),
    "ole": Target(_reader("ole"), lambda: _fixtures(".doc")),
    "xls": Target(_reader("sheet"), _seeds("xls", suffixes=(".xls",))),
    "xlsx": Target(_reader("sheet"), _seeds("xlsx")),
    "excel-xml": Target(_reader("excel_xml"), _seeds("excel-xml", suffixes=(".xls",))),
    "ods": Target(_reader("ods"), _seeds("fods", suffixes=(".fods",))),
    "mail": Target(_members, _seeds("mail", suffixes=(".eml",))),
    "ofd": Target(_reader("ofd"), _seeds("ofd")),
    "archive": Target(_members, _archives),
    "image": Target(_reader("image"), _pictures),
    "scan": Target(_scanned, _page_pieces, 2 * _ACROSS * _DOWN),
    **{name: Target(lambda data, name=name: _part(name)(data), _part_seeds(name)) for name in _PACKAGES},  # type: ignore[misc]  # one for each
    "read": Target(_whole, _seeds("text", "html", "docx", "pdf", "ofd", "xls", "xlsx", "zip", "rar")),
}


# ------------------------------------------------------------ running them


def watched(target: Target, data: bytes) -> None:
    """Run a target; raises what it should not."""
    began = time.thread_time()
    target.run(data)
    taken = time.thread_time() - began
    if taken > SLOW:
        raise TimeoutError(f"{len(data)} bytes took {taken:.1f} s")


def keep(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


def changed(data: bytes, chance: random.Random, longest: int = _LONGEST) -> bytes:
    """One to eight changes: bytes overwritten, pieces cut out, doubled or moved, tokens put in, the end cut off."""
    content = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(content) + 1)
        size = min(chance.choice((1, 2, 4, 16, 64, 512)), max(0, len(content) - at))
        way = chance.randrange(6)
        if way == 0:
            content[at : at + size] = chance.randbytes(size)
        elif way == 1:
            del content[at : at + size]
        elif way == 2:
            to = chance.randrange(len(content) + 1)
            content[to:to] = content[at : at + size]
        elif way == 3:
            content[at:at] = chance.choice(_TOKENS)
        elif way == 4:
            token = chance.choice(_TOKENS)
            content[at : at + len(token)] = token
        elif chance.random() < 0.1:
            del content[at:]
    return bytes(content[:longest])


def at_random(name: str, seconds: float, seed: int, folder: Path) -> int:
    """Random changes for so long; how many documents broke the target."""
    target, chance = TARGETS[name], random.Random(seed)
    seeds = target.seeds()
    end, runs, broken = time.monotonic() + seconds, 0, set[str]()
    while time.monotonic() < end:
        data = changed(chance.choice(seeds), chance, target.longest)
        runs += 1
        try:
            watched(target, data)
        except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
            where = traceback.extract_tb(error.__traceback__)[-1]
            if f"{where.filename}:{where.lineno}" not in broken:
                broken.add(f"{where.filename}:{where.lineno}")
                print(f"{name}: {type(error).__name__}: {error} at {where.filename}:{where.lineno}")
                print(f"  kept as {keep(folder, name, data)}", flush=True)
    print(f"{name}: {runs} documents in {seconds:.0f} s, {len(broken)} broke it", flush=True)
    return len(broken)


def by_coverage(name: str, seconds: float, seed: int, folder: Path) -> None:
    """The same with atheris; ends this process."""
    import atheris

    with atheris.instrument_imports(include=["parsers"]):
        for module in ("reading", *(f"readers.{reader}" for reader in _INSTRUMENTED)):
            importlib.import_module(f"parsers.{module}")

    target = TARGETS[name]
    corpus = folder / f"corpus-{name}"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(data)

    def once(data: bytes) -> None:
        try:
            watched(target, data)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}\n  kept as {keep(folder, name, data)}", flush=True)
            raise

    options = [
        f"-max_total_time={seconds:.0f}",
        f"-max_len={target.longest}",
        f"-seed={seed}",
        "-timeout=60",
        "-rss_limit_mb=3000",
    ]
    atheris.Setup(
        [sys.argv[0], *options, "-print_final_stats=1", f"-artifact_prefix={folder}/{name}-", str(corpus)], once
    )
    atheris.Fuzz()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; default all")
    arguments.add_argument("--seconds", type=float, default=60, help="for each target; default 60")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", type=Path, default=Path.cwd(), help="where inputs go that break a target")
    arguments.add_argument("--input", type=Path, help="run one target once, on this file")
    arguments.add_argument("--random", action="store_true", help="random changes even where atheris is installed")
    arguments.add_argument("--guided", action="store_true", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    names = chosen.targets or list(TARGETS)
    unknown = sorted(set(names) - set(TARGETS))
    if unknown:
        arguments.error(f"no target {unknown[0]}; known: {', '.join(TARGETS)}")
    if chosen.input:
        watched(TARGETS[names[0]], chosen.input.read_bytes())
        return 0
    if chosen.guided:
        by_coverage(names[0], chosen.seconds, chosen.seed, chosen.keep)
        return 0
    broken = 0
    for name in names:
        if chosen.random or importlib.util.find_spec("atheris") is None:
            broken += at_random(name, chosen.seconds, chosen.seed, chosen.keep)
            continue
        # atheris ends the process it runs in.
        command: list[Any] = [sys.executable, __file__, name, "--guided", "--seed", chosen.seed, "--keep", chosen.keep]
        done = subprocess.run(
            [*map(str, command), "--seconds", str(chosen.seconds)], capture_output=True, text=True, env={**os.environ}
        )
        told = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith((f"{name}:", "  kept"))]
        runs = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print("\n".join([*told, f"{name}: {runs[0] if runs else '?'} documents, status {done.returncode}"]), flush=True)
        broken += done.returncode != 0
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
