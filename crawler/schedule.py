"""The timer that runs `gongkai nightly`: a systemd service with its timer, or a line for cron.

Nothing is installed: the text is printed, or written to a folder, and a person puts it in place.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crawler.exceptions import CrawlerError

# In the middle of the night where the sites are, before backups and maintenance begin at three.
HOUR, MINUTE = 1, 30
TIME_ZONE = "Asia/Shanghai"
UTC_HOUR = (HOUR - 8) % 24
# Nobody else's timer at half past one is met to the second.
RANDOM_DELAY = "20min"
# What is in flight when the night is stopped: the slowest answer awaited, and reading what was fetched.
STOP_SECONDS = 600
LOCKED = 75
SERVICE = "gongkai-nightly.service"
TIMER = "gongkai-nightly.timer"
SETTINGS_FILE = "/etc/gongkai/environment"


class ScheduleError(CrawlerError):
    """Raised when a timer cannot be written down: a path with a line break, a user name with odd characters."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run each night. `program` is the command's absolute path, `user` "" for whoever owns the timer."""

    program: Path
    data_dir: Path
    site_files: tuple[Path, ...] = ()
    user: str = ""

    def __post_init__(self) -> None:
        for text in self.arguments():
            if not text.isprintable():
                raise ScheduleError(f"{text!r} cannot stand in a timer: it holds a character that is not printable")
        if not all(letter.isalnum() or letter in "_-." for letter in self.user):
            raise ScheduleError(f"{self.user!r} cannot be the name of a user")

    def arguments(self) -> list[str]:
        """The command line, every path absolute: a timer starts in no folder of ours."""
        files = [part for path in self.site_files for part in ("--site-file", str(path.absolute()))]
        return [str(self.program.absolute()), "--data", str(self.data_dir.absolute()), "nightly", *files]


def default_program() -> Path:
    """The command beside the running interpreter, else the first one on PATH. Raises ScheduleError."""
    beside = Path(sys.executable).parent / "gongkai"
    if beside.is_file():
        return beside
    found = shutil.which("gongkai")
    if found is None:
        raise ScheduleError("no gongkai command beside this Python nor on PATH: name it with --command")
    return Path(found)


def units(plan: Plan) -> dict[str, str]:
    """The two unit files by their names."""
    return {SERVICE: _service(plan), TIMER: _timer()}


def printed(plan: Plan) -> str:
    """Both units, one after the other, and how they are put in place."""
    parts = [f"# /etc/systemd/system/{name}\n{text}" for name, text in units(plan).items()]
    return "\n".join([*parts, _HOW_TO])


def write(plan: Plan, folder: Path) -> list[Path]:
    """The two unit files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in units(plan).items():
        path = folder / name
        path.write_text(text, "utf-8")
        paths.append(path)
    return paths


def crontab(plan: Plan) -> str:
    """A line for a user's crontab, where % would end the command."""
    line = shlex.join(plan.arguments()).replace("%", r"\%")
    who = f"# for the crontab of {plan.user}: crontab -u {plan.user} -e\n" if plan.user else "# for crontab -e\n"
    return (
        f"{who}"
        f"# CRON_TZ is understood by cronie. Debian's cron takes the machine's own zone all the same: there, write\n"
        f"# the hour that {HOUR:02}:{MINUTE:02} in Shanghai is on your clock ({UTC_HOUR:02}:{MINUTE:02} UTC).\n"
        f"# cron makes up for no night that the machine was off; what was due is taken by the next one.\n"
        f"CRON_TZ={TIME_ZONE}\n"
        f"{MINUTE} {HOUR} * * * {line}\n"
    )


def _service(plan: Plan) -> str:
    line = " ".join(_quoted(part) for part in plan.arguments())
    user = f"User={plan.user}\n" if plan.user else ""
    return f"""\
[Unit]
Description=gongkai: the night's crawl of government information disclosure
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.service.html
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=oneshot
{user}ExecStart={line}
# Secrets and addresses of notifications (docs/nightly.md); the file may be missing.
EnvironmentFile=-{SETTINGS_FILE}
# As Ctrl-C: what is in flight is finished, the run is marked as interrupted. Only the command itself is told.
KillSignal=SIGINT
KillMode=mixed
TimeoutStopSec={STOP_SECONDS}
# Another run holds the lock: that is no failure of this one.
SuccessExitStatus={LOCKED}
Nice=10
IOSchedulingClass=idle
"""


def _timer() -> str:
    return f"""\
[Unit]
Description=gongkai: every night at {HOUR:02}:{MINUTE:02} in Shanghai

[Timer]
OnCalendar=*-*-* {HOUR:02}:{MINUTE:02}:00 {TIME_ZONE}
# A night that the machine was off is made up for when it is on again.
Persistent=true
RandomizedDelaySec={RANDOM_DELAY}
Unit={SERVICE}

[Install]
WantedBy=timers.target
"""


def _quoted(part: str) -> str:
    """One argument in a unit file: specifiers and variables are written twice, the rest stands in quotes."""
    escaped = part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if set(escaped) & set(" \"'\\;") or not escaped else escaped


_HOW_TO = f"""\
# Put in place, as root: gongkai schedule --systemd --to /etc/systemd/system
#   systemctl daemon-reload && systemctl enable --now {TIMER}
# Look at it: systemctl list-timers {TIMER}; journalctl -u {SERVICE}
# Stop a night that is under way: systemctl stop {SERVICE}
"""


def described(paths: Sequence[Path]) -> str:
    """What was written, and what is still to be done."""
    return "\n".join([*map(str, paths), _HOW_TO.split("\n", 1)[1].rstrip()])
