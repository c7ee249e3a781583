"""Datasette over a data directory: read-only, with the codebook and the plugin, also while a crawl is writing."""

from __future__ import annotations

import contextlib
import logging
import socket
import sqlite3
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette
from datasette.plugins import pm

from archive.browse import places, plugin, replay, versions
from archive.browse.codebook import SETTINGS, Codebook, codebook, codebook_of
from archive.browse.formulas import App, Receive, Scope, Send
from archive.browse.places import Drawer, Serving
from archive.errors import ArchiveError
from archive.paths import database_path, no_database
from archive.snapshot import FILE_NAME, SNAPSHOT_SETTINGS, inspected, table_settings

HERE = Path(__file__).parent

MOST_REPORTS_WITH_FACETS = 1500
NO_FACETS = (
    "数据较多，此处不列分面；用 gongkai snapshot 发布后有。 Too many rows to count facets here; a snapshot has them."
)

_logger = logging.getLogger(__name__)


class ServeError(ArchiveError):
    """Raised when there is nothing to serve or the port is taken; the message says what to do."""


def application(
    data_dir: Path, *, snapshot: Path | None = None, drawer: Drawer | None = None, allow_download: bool = False
) -> Datasette:
    """Datasette on `data_dir`/corpus.db, or on the snapshot in the folder `snapshot`. Raises ServeError when there is
    none.

    `drawer` draws archived documents with a place marked; without one the pages say so. `allow_download`: whether the
    database may be fetched as a file; Datasette gives out snapshots only, never a database that may be written.
    """
    path = database_path(data_dir) if snapshot is None else snapshot / FILE_NAME
    if not path.is_file():
        is_live = snapshot is None
        raise ServeError(
            no_database(data_dir) if is_live else f"{path}: no such database; `gongkai snapshot` makes one"
        )
    # Datasette puts the path into a URI as it is, where these begin something else: another file would be opened.
    if not set("#?%").isdisjoint(str(path.resolve())):
        raise ServeError(f"{path}: Datasette opens no database whose path has #, ? or % in it; rename the folder")
    if not pm.is_registered(plugin):
        pm.register(plugin, plugin.NAME)
    shape: dict[str, Any] = {"files": [str(path.resolve())], "settings": SETTINGS}
    if snapshot is not None:
        shape = {
            "files": [],
            "immutables": [str(path.resolve())],
            "inspect_data": inspected(snapshot),
            "settings": SNAPSHOT_SETTINGS,
        }
    shape["settings"] = {**shape["settings"], "allow_download": allow_download}
    datasette = Datasette(
        **shape,
        template_dir=str(HERE / "templates"),
        static_mounts=[("gongkai-static", str(HERE / "static"))],
        **versions.described(
            book_of(path) if snapshot is not None else live_book(path), {} if snapshot is None else table_settings()
        ),
    )
    versions.count_views(datasette)
    places.give(datasette, Serving(data_dir=data_dir.resolve(), drawer=drawer))
    return datasette


def live_book(path: Path) -> Codebook:
    """`book_of` a database that is written to. Of a large one the long panel has no facets: each takes a second."""
    book = book_of(path)
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (reports,) = connection.execute("SELECT count(*) FROM panel_choices").fetchone()
    except sqlite3.Error:
        return book
    if reports <= MOST_REPORTS_WITH_FACETS:
        return book
    panel = book.table("panel")
    told = replace(panel, facets=(), description=f"{panel.description} {NO_FACETS}")
    return replace(book, tables=tuple(told if table is panel else table for table in book.tables))


def book_of(path: Path) -> Codebook:
    """The codebook with the concepts of the database at `path`; without them where it cannot be read at this moment.

    Raises ServeError for a file that is no database, or a damaged one.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return codebook_of(connection)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise ServeError(f"{path}: {error}; `gongkai audit` says more") from error
        _logger.warning("%s: its concepts are not described: %s", path, error)
        return codebook()


def serve(
    data_dir: Path,
    *,
    snapshot: Path | None = None,
    port: int = 8001,
    host: str = "127.0.0.1",
    open_browser: bool = False,
    drawer: Drawer | None = None,
    allow_download: bool = False,
    replay_folder: Path | None = None,
    announce: Callable[[str], object] = lambda _: None,
) -> int:
    """Serves until interrupted and returns 0. Raises ServeError before anything is served.

    `announce` gets the address once connections are taken; port 0 means any that is free. `replay_folder` holds
    ReplayWeb.page, which gets the next port. `drawer` and `allow_download` as for `application`.
    """
    datasette = application(data_dir, snapshot=snapshot, drawer=drawer, allow_download=allow_download)
    app = datasette.app()
    listeners = [_listener(host, port)]
    address = _address(host, listeners[0])
    if replay_folder is not None:
        folder = replay.checked_folder(replay_folder)
        listeners.append(_listener(host, port + 1 if port else 0))
        serving = Serving(data_dir.resolve(), drawer, replay_address=_address(host, listeners[1]))
        places.give(datasette, serving)
        app = _by_port(app, {listeners[1].getsockname()[1]: replay.application(datasette, folder)})
    _logger.info("serving %s at %s", snapshot or data_dir, address)
    announce(address)
    if open_browser:
        webbrowser.open(address)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    # uvicorn passes the interrupt on once it has shut down.
    with contextlib.ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
        for listener in listeners:
            stack.enter_context(listener)
        server.run(sockets=listeners)
    return 0


def _address(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}/"


def _by_port(app: App, others: dict[int, App]) -> App:
    """`app`, and at other ports other ones: to a browser each port is a site of its own."""

    async def ported(scope: Scope, receive: Receive, send: Send) -> None:
        _, port = scope.get("server") or ("", 0)
        await others.get(port, app)(scope, receive, send)

    return ported


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ServeError(f"cannot listen on {host} port {port}: {error.strerror}; `--port` names another") from error
    return listener
