"""Documents only LibreOffice reads (.rtf, .odt, .uot, Word 2003 XML, odd .doc), made docx in a locked-away process.

One start converts many files: starting costs more than converting. The process has a profile of its own with macros and
external links off, no network and no sight of anything but its own folder (with bubblewrap, where it is installed and
may be used), limits on memory, CPU and output, and is killed with all its children when nothing comes out for a while.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from crawler.exceptions import CrawlerError
from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Reading, ReadingError
from parsers.packed import documents

log = logging.getLogger(__name__)

BATCH = 40
# Starting takes a second, a file a tenth; a document of a thousand pages some ten seconds.
STALL_SECONDS = 60.0
_POLL_SECONDS = 0.02
MAX_OUTPUT_BYTES = 128 << 20
_MEMORY_BYTES = 4 << 30
_CPU_SECONDS = 600
_SUFFIXES = {
    sniff.RTF: ".rtf",
    sniff.ODT: ".odt",
    sniff.FLAT_ODT: ".fodt",
    sniff.UOF: ".uot",
    sniff.DOC: ".doc",
    sniff.WORD_XML: ".xml",
}
Target = Literal["docx", "doc", "rtf", "odt", "fodt", "uot"]
_FILTERS: Mapping[Target, str] = {
    "docx": "docx:MS Word 2007 XML",
    "doc": "doc:MS Word 97",
    "rtf": "rtf:Rich Text Format",
    "odt": "odt:writer8",
    "fodt": "fodt:OpenDocument Text Flat XML",
    "uot": "uot:UOF text",
}

# Setting paths of LibreOffice's registry: no macros whatever signs them, no links to other files or the network.
_SETTINGS = (
    ("/org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
)
_SANDBOX = (
    *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
    *("--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib"),
    *("--symlink", "usr/lib64", "/lib64", "--ro-bind-try", "/etc/libreoffice", "/etc/libreoffice"),
    *("--ro-bind-try", "/etc/fonts", "/etc/fonts", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
    *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),  # noqa: S108  a folder of the sandbox
)


class ConversionError(CrawlerError):
    """A document that was not converted. `code`: `libreoffice_missing`, `conversion_failed` or `too_large`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


Converted = bytes | ConversionError


def needs_conversion(reading: Reading) -> bool:
    """Whether a reading may become better by `conversions`."""
    codes = {finding.code for finding in reading.findings} | ({reading.error.code} if reading.error else set())
    return "needs_conversion" in codes


def convertible(data: bytes, name: str) -> tuple[tuple[str, bytes], ...]:
    """The documents in a file (itself, or members of an archive) that LibreOffice can convert."""
    try:
        found = documents(data, name)
    except UnreadableDocumentError:
        return ()
    return tuple((part.name, part.data) for part in found if sniff.media_type(part.data) in _SUFFIXES)


def conversions(files: Sequence[tuple[str, bytes]]) -> dict[bytes, bytes | ReadingError]:
    """What `parsers.reading.read` wants as `converted`: the docx, or why there is none, by the original's bytes."""
    converted = convert(files)
    return {
        data: ReadingError(docx.code, docx.message) if isinstance(docx, ConversionError) else docx
        for (_, data), docx in zip(files, converted, strict=True)
    }


def is_installed() -> bool:
    return _program() is not None


def convert(files: Sequence[tuple[str, bytes]], *, to: Target = "docx") -> list[Converted]:
    """Convert each (name, bytes) in as few starts of LibreOffice as it survives; no document makes it raise."""
    program = _program()
    if program is None:
        message = "this document needs LibreOffice, which is not installed (Debian: libreoffice-writer-nogui)"
        return [ConversionError("libreoffice_missing", message) for _ in files]
    converted: list[Converted] = []
    for start in range(0, len(files), BATCH):
        converted.extend(_batch(program, files[start : start + BATCH], to))
    return converted


@cache
def _program() -> str | None:
    return shutil.which("soffice") or shutil.which("libreoffice")


@cache
def _sandbox() -> tuple[str, ...]:
    """bubblewrap's command line up to what is particular to a run; () where it is missing or not allowed."""
    program = shutil.which("bwrap")
    if program is None:
        return ()
    command = (program, *_SANDBOX)
    tried = subprocess.run([*command, "true"], capture_output=True, timeout=20, check=False)  # noqa: S603
    if tried.returncode:
        log.warning("bubblewrap cannot be used here: %s", tried.stderr.decode(errors="replace").strip())
        return ()
    return command


def _batch(program: str, files: Sequence[tuple[str, bytes]], to: Target) -> list[Converted]:
    """Convert a batch. Whatever file a run ends at is given up, and the rest is run again without it."""
    done: dict[int, Converted] = {}
    while len(done) < len(files):
        waiting = [index for index in range(len(files)) if index not in done]
        ended_well, found = _run(program, [(index, files[index][1]) for index in waiting], to)
        done.update(found)
        last = max(found, default=-1)
        for index in waiting:
            if index in done or (index > last and not ended_well):
                continue
            done[index] = ConversionError("conversion_failed", "LibreOffice could not read the document")
        if not ended_well:
            culprit = next((index for index in waiting if index not in done), None)
            if culprit is not None:
                done[culprit] = ConversionError("conversion_failed", "LibreOffice broke off or hung over the document")
    return [done[index] for index in range(len(files))]


def _run(program: str, files: Sequence[tuple[int, bytes]], to: Target) -> tuple[bool, dict[int, Converted]]:
    """One start of LibreOffice: whether it ended by itself and well, and what came out."""
    with tempfile.TemporaryDirectory(prefix="gongkai-office-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        for part in ("in", "out", "profile/user"):
            (work / part).mkdir(parents=True)
        (work / "profile/user/registrymodifications.xcu").write_text(_profile(), "utf-8")
        names = []
        for index, data in files:
            name = f"{index:04}{_SUFFIXES.get(sniff.media_type(data), '.docx')}"
            (work / "in" / name).write_bytes(data)
            names.append(name)
        ended_well = _converted(_command(program, work, names, to), work)
        return ended_well, {
            index: made for index, _ in files if (made := _output(work / "out" / f"{index:04}.{to}")) is not None
        }


def _profile() -> str:
    items = "".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in _SETTINGS
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        f'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>'
    )


def _command(program: str, work: Path, names: Sequence[str], to: Target) -> list[str]:
    sandbox = _sandbox()
    seen = "/work" if sandbox else str(work)
    command = []
    if limiter := shutil.which("prlimit"):
        limits = (f"--as={_MEMORY_BYTES}", f"--cpu={_CPU_SECONDS}", f"--fsize={MAX_OUTPUT_BYTES}", "--core=0")
        command += [limiter, *limits]
    if sandbox:
        command += [*sandbox, "--bind", str(work), seen, "--chdir", seen]
        command += [part for name, value in _environment(seen).items() for part in ("--setenv", name, value)]
    command += [program, f"-env:UserInstallation=file://{seen}/profile", "--headless", "--norestore"]
    command += ["--nolockcheck", "--convert-to", _FILTERS[to], "--outdir", f"{seen}/out"]
    return command + [f"{seen}/in/{name}" for name in names]


def _environment(home: str) -> Mapping[str, str]:
    return {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "SAL_USE_VCLPLUGIN": "svp", "TMPDIR": home}


def _converted(command: Sequence[str], work: Path) -> bool:
    with (work / "said").open("wb") as said:
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=dict(_environment(str(work))),
            cwd=work,
            start_new_session=True,
        )
        try:
            return _ended_well(process, work / "out")
        finally:
            _killed(process)


def _ended_well(process: subprocess.Popen[bytes], out: Path) -> bool:
    """Wait as long as files come out."""
    count, since = 0, time.monotonic()
    while process.poll() is None:
        try:
            found = sum(1 for _ in out.iterdir())
        except OSError:
            # A program that a document has taken over may have done away with it.
            return False
        if found != count:
            count, since = found, time.monotonic()
        elif time.monotonic() - since > STALL_SECONDS:
            return False
        time.sleep(_POLL_SECONDS)
    return process.returncode == 0


def _killed(process: subprocess.Popen[bytes]) -> None:
    """The process and all it started are gone afterwards: soffice is a script round a launcher round the program."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        log.debug("LibreOffice has ended with all its processes")
    process.wait()


def _output(path: Path) -> Converted | None:
    # A link made in there leads to a file out here.
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        return None
    size = path.stat().st_size
    if size >= MAX_OUTPUT_BYTES:
        return ConversionError("too_large", f"the converted document has {size} bytes or more")
    # A package that was being written when the process was killed has no directory yet.
    is_package = path.suffix in (".docx", ".odt")
    return path.read_bytes() if size and (not is_package or zipfile.is_zipfile(path)) else None
