"""Documents read on several machines: by the workers of a Dask cluster, in jails of theirs.

    dask scheduler                          # on one machine
    dask worker tcp://…:8786                # on each, from an environment with the same gongkai in it
    gongkai extract --full --dask tcp://…:8786

Responses go out with the jobs, so workers need neither the data directory nor the database; what they read comes back
and is written here, by one writer and in the order of the captures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from crawler.exceptions import CrawlerError
from crawler.jail import Failure, shared
from parsers.version import PARSER_VERSION

P = ParamSpec("P")
T = TypeVar("T")

SECONDS_TO_CONNECT = 10


class ClusterError(CrawlerError):
    """Raised when there is no such cluster, when it is lost, and when its workers would read otherwise than we do."""


class Cluster:
    """A `Runner` on the cluster that `client` is connected to."""

    def __init__(self, client: Any, workers: int) -> None:
        self.workers = workers
        self._client = client
        self._executor = client.get_executor(pure=False)

    def submit(self, function: Callable[P, T], *arguments: P.args, **_: P.kwargs) -> Future[T | Failure]:
        future: Future[T | Failure] = self._executor.submit(_read_there, PARSER_VERSION, function, arguments)
        return future

    def stop(self) -> None:
        if self._client.status == "running":
            self._executor.shutdown(wait=False)
            self._executor = self._client.get_executor(pure=False)


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The cluster whose scheduler is at `address`: tcp://host:8786. Raises ClusterError, now or when it is lost."""
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise ClusterError(f"--dask needs Dask: pip install 'gongkai[dask]' ({error})") from error
    try:
        client: Any = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ClusterError(f"{address}: no Dask scheduler answers there: {error}") from error
    with client:
        workers = sum(client.nthreads().values())
        if workers == 0:
            raise ClusterError(f"{address}: the scheduler has no workers; start some with: dask worker {address}")
        try:
            yield Cluster(client, workers)
        except (KilledWorker, CancelledError) as error:
            raise ClusterError(f"{address}: the cluster was lost: {error}") from error
        except ModuleNotFoundError as error:
            raise ClusterError(f"{address}: a worker lacks gongkai or what it imports: {error}") from error


def _read_there(version: str, function: Callable[..., T], arguments: tuple[object, ...]) -> T | Failure:
    """What a worker does with a job: as many jails as it has threads, each used by one job at a time."""
    if version != PARSER_VERSION:
        message = f"a worker's parser version is {PARSER_VERSION}, ours {version}: install the same gongkai there"
        raise ClusterError(message)
    from distributed import get_worker

    return shared(get_worker().state.nthreads).submit(function, *arguments).result()
