"""How PostgreSQL is run: as somebody who may, and not at all where another one is named."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest
from pydantic import SecretStr

from conf import Settings
from infra.local.parts import Machine, here, processes
from infra.local.servers import postgres

CAPABILITIES = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    """A stack whose folders are there."""
    settings = Settings(home=tmp_path / "home")
    settings.data.mkdir(parents=True)
    (settings.tools / "postgres").mkdir(parents=True)
    return settings


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)


def closed(monkeypatch: pytest.MonkeyPatch, *, to: Path | None) -> None:
    """Every folder may be entered by others, but for one."""
    stat = Path.stat

    def mode(path: Path, **options: bool) -> object:
        actual = stat(path, **options)
        return type("Found", (), {"st_mode": actual.st_mode & ~0o001 if path == to else actual.st_mode | 0o001})

    monkeypatch.setattr(Path, "stat", mode)


def test_who_is_not_root_runs_it_as_who_they_are(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1_000)

    assert postgres.as_owner(chosen) == []
    assert postgres.command(chosen)[0] == str(postgres.home(chosen) / "bin" / "postgres")


@pytest.mark.usefixtures("as_root")
def test_root_runs_it_as_nobody_with_no_right_that_is_not_needed(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = pwd.getpwnam("nobody")
    closed(monkeypatch, to=None)

    assert postgres.as_owner(chosen) == [
        "setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups",
    ]  # fmt: skip


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("place", ["tools", "data"])
def test_below_a_folder_that_is_closed_to_others_it_may_pass_through(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    closed(monkeypatch, to=getattr(chosen, place).parent)

    assert postgres.as_owner(chosen)[-2:] == CAPABILITIES


@pytest.mark.usefixtures("as_root")
def test_the_other_user_gets_nothing_of_our_environment(chosen: Settings) -> None:
    """Any program of that user may read it."""
    assert postgres.command(chosen)[:3] == ["env", "-i", f"SAUDA_PART={chosen.stack_home}:postgres"]


def test_another_postgresql_leaves_the_part_out_and_airflow_with_it_unless_it_has_a_database() -> None:
    elsewhere = {"postgres_url": SecretStr("postgresql://u@db.example/sauda")}
    without = here(Settings(**elsewhere))
    with_airflow = here(Settings(**elsewhere, airflow_database_url=SecretStr("postgresql://u@db.example/airflow")))

    assert "postgres" in here(Settings())
    assert not [name for name in without if name == "postgres" or name.startswith("airflow")]
    assert "postgres" not in with_airflow
    assert [name for name in with_airflow if name.startswith("airflow")]


def test_no_process_of_it_is_configured_then(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, postgres_url=SecretStr("postgresql://u@db.example/sauda"))

    assert "postgres" not in processes(Machine(chosen))
