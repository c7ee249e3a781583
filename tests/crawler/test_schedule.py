"""The timers, as systemd and cron would read them."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.cli import main
from crawler.schedule import LOCKED, SERVICE, TIMER, Plan, ScheduleError, crontab, printed, units, write

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze (Debian: systemd)")
PLAIN = Plan(Path("/bin/true"), Path("/srv/gongkai"))
ODD = Plan(Path("/bin/true"), Path('/srv/50% $HOME "x" 公开'), (Path("/srv/it's; mine\\.toml"),))


def analyzed(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
@pytest.mark.parametrize("plan", [PLAIN, ODD], ids=["plain paths", "paths with everything that needs quotes"])
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path, plan: Plan) -> None:
    paths = write(plan, tmp_path)
    done = analyzed("verify", *map(str, paths))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_a_unit_with_a_fault_would_be_found(tmp_path: Path) -> None:
    paths = write(PLAIN, tmp_path)
    paths[0].write_text(paths[0].read_text("utf-8").replace("KillSignal=SIGINT", "KillSignal=SIGNOT"), "utf-8")
    assert "SIGNOT" in analyzed("verify", str(paths[0])).stderr


@needs_systemd
def test_the_timer_goes_off_at_half_past_one_in_shanghai() -> None:
    (line,) = (line for line in units(PLAIN)[TIMER].splitlines() if line.startswith("OnCalendar="))
    done = analyzed("calendar", line.partition("=")[2])
    assert done.returncode == 0, done.stderr
    assert "17:30:00 UTC" in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "Type=oneshot",
        "KillSignal=SIGINT",
        f"SuccessExitStatus={LOCKED}",
        "ExecStart=/bin/true --data /srv/gongkai nightly",
    ],
)
def test_the_service_says(line: str) -> None:
    assert line in units(PLAIN)[SERVICE].splitlines()


@pytest.mark.parametrize("line", ["Persistent=true", "RandomizedDelaySec=20min", "WantedBy=timers.target"])
def test_the_timer_says(line: str) -> None:
    assert line in units(PLAIN)[TIMER].splitlines()


def test_specifiers_and_variables_of_systemd_are_written_twice() -> None:
    (line,) = (line for line in units(ODD)[SERVICE].splitlines() if line.startswith("ExecStart="))
    assert r'"/srv/50%% $$HOME \"x\" 公开"' in line


def test_the_line_for_cron_is_the_command_at_its_hour() -> None:
    last = crontab(ODD).splitlines()[-1]
    minute, hour, *days, command = last.split(" ", 5)
    assert (minute, hour, days) == ("30", "1", ["*", "*", "*"])
    assert shlex.split(command.replace(r"\%", "%")) == ODD.arguments()
    assert "%" not in command.replace(r"\%", "")
    assert "CRON_TZ=Asia/Shanghai" in crontab(ODD)


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = Plan(Path("/bin/true"), Path("data"), (Path("a.toml"),))
    assert plan.arguments()[2:] == [str(tmp_path / "data"), "nightly", "--site-file", str(tmp_path / "a.toml")]


@pytest.mark.parametrize(
    "plan",
    [{"data_dir": Path("a\nExecStart=/bin/false")}, {"data_dir": Path("a"), "user": "me\nGroup=root"}],
    ids=["line break in a path", "line break in a user"],
)
def test_nothing_slips_a_line_into_a_unit(plan: dict) -> None:
    with pytest.raises(ScheduleError):
        Plan(Path("/bin/true"), **plan)


def test_printed_names_both_files_and_how_to_put_them_in_place() -> None:
    text = printed(PLAIN)
    assert all(name in text for name in (SERVICE, TIMER, "systemctl enable --now"))


def test_the_command_prints_one_kind_or_asks_which() -> None:
    runner = CliRunner()
    common = ["--data", "/srv/g", "schedule", "--command", "/bin/true"]
    assert runner.invoke(main, common).exit_code == 2
    assert runner.invoke(main, [*common, "--systemd", "--cron"]).exit_code == 2
    cron = runner.invoke(main, [*common, "--cron"])
    assert (cron.exit_code, cron.stdout.splitlines()[-1]) == (0, "30 1 * * * /bin/true --data /srv/g nightly")
    assert "OnCalendar=" in runner.invoke(main, [*common, "--systemd"]).stdout


def test_the_command_writes_the_units_to_a_folder(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["schedule", "--systemd", "--command", "/bin/true", "--to", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([SERVICE, TIMER])
