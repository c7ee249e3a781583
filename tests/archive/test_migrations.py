"""Migrations stay as they were: a database that has had one never has it again."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from archive import migrations

# The beginning of each file's sha256. Another wish for a view or table is another migration, pinned here in turn.
PINNED = {
    "m0001_archive": "3f1cb28be7fd0385",
    "m0002_readings": "ca202921444953e2",
    "m0003_search": "7ad878c4a78cc0b3",
    "m0004_codebook": "103b64fb6b3c6b0b",
    "m0005_imports": "9f056feaea6021fe",
    "m0006_channel_runs": "571488e6e88f597f",
    "m0007_url_states": "55e1316b5baaf1bc",
    "m0008_history": "f4b7593a522c11fd",
    "m0009_agencies": "bc0496137433b573",
    "m0010_decisions": "a497be7acfaa6902",
    "m0010_panel": "80f9db09aab670a7",
    "m0011_overview": "7619a60443d4bea7",
    "m0012_releases": "8f0a80a2aa2d422b",
    "m0013_scans": "bcc64955987728bb",
    "m0015_openings": "9b9198b777f5d0e5",
    "m0016_panel_marks": "76b656f48f731ad7",
    "m0017_counted": "be198a0901f2b108",
    "m0018_lookups": "d760685a45e86714",
    "m0019_counting": "0827e7a555563fc3",
}


def test_no_migration_was_edited() -> None:
    folder = Path(migrations.__file__).parent
    found = {path.stem: sha256(path.read_bytes()).hexdigest()[:16] for path in folder.glob("m[0-9]*.py")}
    assert found == PINNED


def test_every_migration_is_applied() -> None:
    assert {migration.name for migration in migrations.MIGRATIONS.pending(_empty())} == set(PINNED)


def _empty() -> migrations.Database:
    return migrations.Database(memory=True)
