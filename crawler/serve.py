"""`gongkai serve`: Datasette over the corpus, with documents drawn in the jail."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from archive.browse import serve as browse
from crawler.places import Places


def serve(
    data_dir: Path,
    *,
    snapshot: Path | None,
    port: int,
    replay: Path | None,
    allow_download: bool,
    announce: Callable[[str], object],
) -> int:
    """Serves until interrupted and returns 0. Raises ServeError or ReplayError before anything is served."""
    with closing(Places()) as places:
        places.warm()
        return browse.serve(
            data_dir,
            snapshot=snapshot,
            port=port,
            drawer=places,
            allow_download=allow_download,
            replay_folder=replay,
            announce=announce,
        )
