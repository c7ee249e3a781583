"""Documents read by the workers of a Dask cluster: two of them, as processes of their own, on loopback."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crawling import ROOT, crawled, gongkai, rows

from crawler.cluster import ClusterError, _read_there, cluster
from crawler.replica import Replica
from parsers.sniff import media_type

pytest.importorskip("distributed", reason="Dask is not installed (dask extra)")

READ = """SELECT document_url, cell, value, raw, unit, status, locator, confidence
    FROM facts JOIN reports USING (report_id) ORDER BY 1, 2"""
FOUND = "SELECT level, code, url, message FROM findings ORDER BY 2, 3, 4"


SCHEDULER = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")


@contextmanager
def started(*arguments: str, until: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A `dask` process, and the address in the line that says that it is ready."""
    command = [sys.executable, "-m", "dask", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process, next(line for line in process.stderr if until in line).split()[-1]
        finally:
            process.kill()
            process.stderr.close()


@contextmanager
def working(address: str, folder: Path) -> Iterator[None]:
    options = ("--no-nanny", "--nthreads", "2", "--no-dashboard", "--local-directory", str(folder))
    with started("worker", address, *options, until="Registered to:"):
        yield


def test_a_cluster_reads_what_one_machine_reads(tmp_path: Path) -> None:
    with Replica(listings=20) as replica:
        file = replica.site_file(tmp_path)
        assert crawled(gongkai(tmp_path / "data", "crawl", "--site-file", str(file))).code == 0
    data = tmp_path / "data"
    alone = rows(data, READ), rows(data, FOUND)
    assert len(alone[0]) > 1000
    with started(*SCHEDULER, until="Scheduler at:") as (_, address), working(address, tmp_path):
        assert crawled(gongkai(data, "extract", "--full", "--dask", address)).code == 0
    assert (rows(data, READ), rows(data, FOUND)) == alone


def test_no_scheduler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.cluster.SECONDS_TO_CONNECT", 1)
    message = "^tcp://127.0.0.1:1: no Dask scheduler answers there: "
    with pytest.raises(ClusterError, match=message), cluster("tcp://127.0.0.1:1"):
        pass


def test_a_scheduler_without_workers_is_said_and_not_waited_for() -> None:
    with (
        started(*SCHEDULER, until="Scheduler at:") as (_, address),
        pytest.raises(ClusterError, match="the scheduler has no workers"),
        cluster(address),
    ):
        pass


def test_a_cluster_that_is_lost_ends_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.cluster.SECONDS_TO_CONNECT", 2)
    with (
        started(*SCHEDULER, until="Scheduler at:") as (scheduler, address),
        working(address, tmp_path),
        pytest.raises(ClusterError, match="the cluster was lost"),
        cluster(address) as runner,
    ):
        assert runner.workers == 2
        assert runner.submit(media_type, b"%PDF-1.7", "").result() == "application/pdf"
        waiting = runner.submit(time.sleep, 30)
        scheduler.kill()
        try:
            waiting.result()
        finally:
            runner.stop()


def test_a_worker_of_another_parser_version_reads_nothing() -> None:
    with pytest.raises(ClusterError, match="install the same gongkai there"):
        _read_there("0", media_type, (b"", ""))
