"""bubblewrap around a worker: no network, no other process in sight, of the files only the program's, to read."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts")
_PROJECT = Path(__file__).parents[2]
_OURS = ("archive", "crawler", "parsers")
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    # One document, one core: threads of numeric libraries would only wait for each other.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # A page's picture is dozens of arrays of 4 MB: given back to the system and asked for again, each is cleared by it.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}


@cache
def command() -> tuple[tuple[str, ...], str]:
    """bubblewrap's command line, to put before the worker's own, or () and why there is none."""
    program = shutil.which("bwrap")
    if program is None:
        return (), "bubblewrap is not installed"
    line = (
        *(program, "--unshare-all", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"),
        *("--proc", "/proc", "--dev", "/dev"),
        *(part for path in _folders() for part in ("--ro-bind-try", path, path)),
        *(part for name, value in ENVIRONMENT.items() for part in ("--setenv", name, value)),
        *("--chdir", "/"),
    )
    try:
        tried = subprocess.run(  # noqa: S603
            [*line, sys.executable, "-I", "-S", "-c", ""], capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return (), f"bubblewrap cannot be used: {error}"
    if tried.returncode:
        # Containers and some distributions forbid new namespaces.
        return (), f"bubblewrap cannot be used: {tried.stderr.decode(errors='replace').strip()[:200]}"
    return line, ""


def import_path() -> list[str]:
    """Where the worker imports from: as here, and the project itself, which may be installed by a finder of its own."""
    return list(dict.fromkeys([*sys.path, str(_PROJECT)]))


def _folders() -> list[str]:
    """What Python and the project need to be imported from; of the project's own folder its packages alone."""
    folders = [*_SYSTEM, sys.base_prefix, sys.prefix]
    for entry in import_path():
        if not entry or not Path(entry).is_dir():
            continue
        own = [str(Path(entry) / name) for name in _OURS if (Path(entry) / name / "__init__.py").is_file()]
        folders.extend(own or [entry])
    resolved = [os.path.realpath(sys.executable)]
    kept: list[str] = []
    for folder in dict.fromkeys([*folders, *(str(Path(path).parent) for path in resolved)]):
        if Path(folder).exists() and not any(Path(folder).is_relative_to(outer) for outer in kept):
            kept.append(folder)
    return kept
