"""Datasette over a data directory: read-only, with the codebook and the plugin, also while a crawl is writing."""

from __future__ import annotations

import contextlib
import logging
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from datasette import __version__ as datasette_version
from datasette.app import Datasette
from datasette.plugins import pm

from archive.browse import plugin
from archive.browse.codebook import SETTINGS, codebook, configuration, merged, metadata
from archive.errors import ArchiveError
from archive.paths import database_path

HERE = Path(__file__).parent

_logger = logging.getLogger(__name__)


class ServeError(ArchiveError):
    """Raised when there is nothing to serve or the port is taken; the message says what to do."""


def application(data_dir: Path) -> Datasette:
    """Datasette on `data_dir`/corpus.db. Raises ServeError when there is none."""
    path = database_path(data_dir)
    if not path.is_file():
        raise ServeError(f"{path}: no such database; `gongkai crawl` or `gongkai demo` makes one")
    if not pm.is_registered(plugin):
        pm.register(plugin, plugin.NAME)
    return Datasette(
        [str(path.resolve())],
        settings=SETTINGS,
        template_dir=str(HERE / "templates"),
        static_mounts=[("gongkai-static", str(HERE / "static"))],
        **_described(),
    )


def _described() -> dict[str, Any]:
    """Codebook and configuration as the installed Datasette takes them."""
    book = codebook()
    if int(datasette_version.partition(".")[0]) < 1:
        return {"metadata": merged(metadata(book), configuration(book))}
    return {"metadata": metadata(book), "config": configuration(book)}


def serve(
    data_dir: Path,
    *,
    port: int = 8001,
    host: str = "127.0.0.1",
    open_browser: bool = False,
    announce: Callable[[str], object] = lambda _: None,
) -> int:
    """Serves until interrupted and returns 0. Raises ServeError before anything is served.

    `announce` gets the address once connections are taken; port 0 means any that is free.
    """
    app = application(data_dir).app()
    listener = _listener(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}/"
    _logger.info("serving %s at %s", data_dir, address)
    announce(address)
    if open_browser:
        webbrowser.open(address)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    # uvicorn passes the interrupt on once it has shut down.
    with listener, contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    return 0


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
