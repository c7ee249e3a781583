"""Reports as OFD (GB/T 33190): the pages of the PDF writer, drawn as text and path objects in millimetres."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from crawler.replica.reports import Printed, Text
from crawler.replica.writers.pdf import FONT, HEIGHT, WIDTH, Pages, PdfStyle, text_width

_NAMESPACE = "http://www.ofdspec.org/2016"
_MM = 25.4 / 72
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same report is the same bytes


def _mm(points: float) -> str:
    return f"{points * _MM:.4f}".rstrip("0").rstrip(".") or "0"


_PAGE = ("0", "0", _mm(WIDTH), _mm(HEIGHT))


@dataclass(frozen=True, slots=True)
class OfdStyle:
    """How a producer writes. `pages` is how it draws.

    `namespace` "" and a `prefix` of one's own are met; `absolute`: paths begin at the package's root; `grouped`: equal
    steps between characters as `g n v`; `scaled`: text in a space of its own, put to size by a CTM; `template`: page
    furniture on a template; `scanned`: pages are pictures, which are missing.
    """

    pages: PdfStyle = field(default_factory=PdfStyle)
    namespace: str = _NAMESPACE
    prefix: str = "ofd"
    absolute: bool = False
    grouped: bool = True
    scaled: bool = False
    template: bool = False
    scanned: bool = False


def write(printed: Printed, *, style: OfdStyle | None = None) -> bytes:
    chosen = style or OfdStyle()
    canvas = _Canvas(chosen)
    pages = Pages(canvas, chosen.pages)
    for block in printed.blocks:
        if isinstance(block, Text):
            pages.text(block)
        else:
            pages.table(block)
    pages.finish()
    return _package(_members(canvas.finished, printed.title, chosen), chosen, {})


def of_pictures(pictures: Sequence[bytes], ctm: str = f"{_PAGE[2]} 0 0 {_PAGE[3]} 0 0") -> bytes:
    """JPEG pictures as an OFD of scanned pages."""
    style = OfdStyle(scanned=True)
    drawn = [
        f'<o:ImageObject ID="7" Boundary="{" ".join(_PAGE)}" CTM="{ctm}" ResourceID="{n + 100}"/>'
        for n in range(len(pictures))
    ]
    media = "".join(
        f'<o:MultiMedia ID="{n + 100}" Type="Image"><o:MediaFile>{n}.jpg</o:MediaFile></o:MultiMedia>'
        for n in range(len(pictures))
    )
    members = _members(drawn, "", style)
    members["Doc_0/DocumentRes.xml"] = f'<o:Res BaseLoc="Res"><o:MultiMedias>{media}</o:MultiMedias></o:Res>'
    return _package(members, style, {f"Doc_0/Res/{number}.jpg": data for number, data in enumerate(pictures)})


def _package(members: Mapping[str, str], style: OfdStyle, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, body in members.items():
            package.writestr(zipfile.ZipInfo(name, _EPOCH), _document(body, style), zipfile.ZIP_DEFLATED)
        for name, data in files.items():
            package.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return buffer.getvalue()


def _document(body: str, style: OfdStyle) -> str:
    """`body` with its elements in the style's namespace: `<o:` stands for it."""
    prefix = f"{style.prefix}:" if style.namespace and style.prefix else ""
    declared = f' xmlns{":" if prefix else ""}{style.prefix if prefix else ""}="{style.namespace}"'
    body = body.replace("</o:", f"</{prefix}").replace("<o:", f"<{prefix}")
    first, rest = body.split(">", 1) if not body.split(">", 1)[0].endswith("/") else (body, "")
    return f'<?xml version="1.0" encoding="UTF-8"?>{first}{declared if style.namespace else ""}>{rest}'


def _members(pages: list[str], title: str, style: OfdStyle) -> dict[str, str]:
    root = "/Doc_0/" if style.absolute else ""
    start = "/" if style.absolute else ""
    box = " ".join(_PAGE)
    listed = "".join(f'<o:Page ID="{n + 10}" BaseLoc="{root}Pages/Page_{n}/Content.xml"/>' for n in range(len(pages)))
    template = f'<o:TemplatePage ID="3" BaseLoc="{root}Tpls/Tpl_0/Content.xml"/>' if style.template else ""
    members = {
        "OFD.xml": f'<o:OFD Version="1.0" DocType="OFD"><o:DocBody><o:DocInfo><o:Title>{escape(title)}</o:Title>'
        f"<o:Creator>青禾</o:Creator></o:DocInfo><o:DocRoot>{start}Doc_0/Document.xml</o:DocRoot></o:DocBody></o:OFD>",
        "Doc_0/Document.xml": "<o:Document><o:CommonData><o:MaxUnitID>99999</o:MaxUnitID>"
        f"<o:PageArea><o:PhysicalBox>{box}</o:PhysicalBox></o:PageArea>"
        f"<o:DocumentRes>DocumentRes.xml</o:DocumentRes>{template}</o:CommonData>"
        f"<o:Pages>{listed}</o:Pages></o:Document>",
    }
    used = '<o:Template TemplateID="3" ZOrder="Background"/>' if style.template else ""
    for number, drawn in enumerate(pages):
        layer = f'<o:Content><o:Layer ID="5">{drawn}</o:Layer></o:Content>'
        members[f"Doc_0/Pages/Page_{number}/Content.xml"] = f"<o:Page>{used}{layer}</o:Page>"
    if style.template:
        canvas = _Canvas(style)
        canvas.setFont(FONT, 8)
        canvas.drawString(64, HEIGHT - 40, "青禾区政务公开")
        canvas.showPage()
        members["Doc_0/Tpls/Tpl_0/Content.xml"] = (
            f'<o:Page><o:Content><o:Layer ID="6">{canvas.finished[0]}</o:Layer></o:Content></o:Page>'
        )
    return members


class _Canvas:
    """Takes what reportlab's canvas takes, and keeps each page as OFD objects."""

    def __init__(self, style: OfdStyle) -> None:
        self.finished: list[str] = []
        self._style = style
        self._objects: list[str] = []
        self._size = 12.0
        self._width = 0.5

    def setFont(self, name: str, size: float) -> None:  # noqa: N802, ARG002  reportlab's names
        self._size = size

    def setLineWidth(self, width: float) -> None:  # noqa: N802
        self._width = width

    def showPage(self) -> None:  # noqa: N802
        drawn = "".join(self._objects)
        if self._style.scanned:
            drawn = f'<o:ImageObject ID="7" Boundary="{" ".join(_PAGE)}" ResourceID="8"/>'
        self.finished.append(drawn)
        self._objects = []

    def drawCentredString(self, x: float, y: float, text: str) -> None:  # noqa: N802
        self.drawString(x - text_width(text, self._size) / 2, y, text)

    def drawRightString(self, x: float, y: float, text: str) -> None:  # noqa: N802
        self.drawString(x - text_width(text, self._size), y, text)

    def drawString(self, x: float, y: float, text: str) -> None:  # noqa: N802
        size, width = self._size, text_width(text, self._size)
        scale = 2.0 if self._style.scaled else 1.0
        ctm = f' CTM="{scale:g} 0 0 {scale:g} 0 0"' if self._style.scaled else ""
        steps = [_mm(text_width(character, size) / scale) for character in text[:-1]]
        delta = f' DeltaX="{_grouped(steps) if self._style.grouped else " ".join(steps)}"' if steps else ""
        boundary = f"{_mm(x)} {_mm(HEIGHT - y - size)} {_mm(width)} {_mm(size * 1.3)}"
        self._objects.append(
            f'<o:TextObject ID="9" Boundary="{boundary}" Font="4" Size="{_mm(size / scale)}"{ctm}>'
            f'<o:TextCode X="0" Y="{_mm(size / scale)}"{delta}>{escape(text)}</o:TextCode></o:TextObject>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        left, top = min(x1, x2), HEIGHT - max(y1, y2)
        boundary = f"{_mm(left)} {_mm(top)} {_mm(abs(x2 - x1) or 0.1)} {_mm(abs(y2 - y1) or 0.1)}"
        start, end = (x1 - left, HEIGHT - y1 - top), (x2 - left, HEIGHT - y2 - top)
        self._path(boundary, f"M {_mm(start[0])} {_mm(start[1])} L {_mm(end[0])} {_mm(end[1])}", "")

    def rect(self, x: float, y: float, width: float, height: float, stroke: int = 1, fill: int = 0) -> None:
        boundary = f"{_mm(x)} {_mm(HEIGHT - y - height)} {_mm(width)} {_mm(height)}"
        w, h = _mm(width), _mm(height)
        how = "" if stroke else ' Stroke="false"'
        self._path(boundary, f"M 0 0 L {w} 0 L {w} {h} L 0 {h} C", f'{how} Fill="true"' if fill else how)

    def _path(self, boundary: str, data: str, how: str) -> None:
        self._objects.append(
            f'<o:PathObject ID="9" Boundary="{boundary}" LineWidth="{_mm(self._width)}"{how}>'
            f"<o:AbbreviatedData>{data}</o:AbbreviatedData></o:PathObject>"
        )


def _grouped(steps: list[str]) -> str:
    runs: list[tuple[str, int]] = []
    for step in steps:
        if runs and runs[-1][0] == step:
            runs[-1] = (step, runs[-1][1] + 1)
        else:
            runs.append((step, 1))
    return " ".join(f"g {count} {step}" if count > 1 else step for step, count in runs)
