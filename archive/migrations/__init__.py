"""The schema of corpus.db as named steps; each is applied once, in a transaction, and never edited afterwards.

Tables hold what is true of every version; the public names of the current reading (`captures`, `pages`, `reports`,
`facts`, `checks`, `provenance`) are views over them.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from archive.migrations import (
    m0001_archive,
    m0002_readings,
    m0003_search,
    m0004_codebook,
    m0005_imports,
    m0006_channel_runs,
    m0007_url_states,
    m0008_history,
    m0009_agencies,
    m0010_decisions,
    m0010_panel,
    m0011_overview,
    m0012_releases,
    m0013_scans,
    m0015_openings,
    m0016_panel_marks,
    m0017_counted,
    m0018_lookups,
    m0019_counting,
)

MIGRATIONS = Migrations("gongkai")
MIGRATIONS(name="m0001_archive")(m0001_archive.apply)
MIGRATIONS(name="m0002_readings")(m0002_readings.apply)
MIGRATIONS(name="m0003_search")(m0003_search.apply)
MIGRATIONS(name="m0004_codebook")(m0004_codebook.apply)
MIGRATIONS(name="m0005_imports")(m0005_imports.apply)
MIGRATIONS(name="m0006_channel_runs")(m0006_channel_runs.apply)
MIGRATIONS(name="m0007_url_states")(m0007_url_states.apply)
MIGRATIONS(name="m0008_history")(m0008_history.apply)
MIGRATIONS(name="m0009_agencies")(m0009_agencies.apply)
MIGRATIONS(name="m0010_decisions")(m0010_decisions.apply)
MIGRATIONS(name="m0010_panel")(m0010_panel.apply)
MIGRATIONS(name="m0011_overview")(m0011_overview.apply)
MIGRATIONS(name="m0012_releases")(m0012_releases.apply)
MIGRATIONS(name="m0013_scans")(m0013_scans.apply)
MIGRATIONS(name="m0015_openings")(m0015_openings.apply)
MIGRATIONS(name="m0016_panel_marks")(m0016_panel_marks.apply)
MIGRATIONS(name="m0017_counted")(m0017_counted.apply)
MIGRATIONS(name="m0018_lookups")(m0018_lookups.apply)
MIGRATIONS(name="m0019_counting")(m0019_counting.apply)


def migrate(database: Database) -> None:
    MIGRATIONS.apply(database)
