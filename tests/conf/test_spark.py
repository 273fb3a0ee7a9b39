"""What a Spark session is started with."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conf import REPOSITORY, Settings
from conf.spark import archive, classpath, give_way, java_options, spark_options


def jars(home: Path, *names: str) -> Settings:
    settings = Settings(home=home)
    folder = settings.jars / "spark"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return settings


def test_our_jars_are_on_the_classpath_in_one_order(tmp_path: Path) -> None:
    settings = jars(tmp_path, "b.jar", "a.jar", "classes-1.jsa", ".stamp")

    assert [jar.name for jar in classpath(settings)] == ["a.jar", "b.jar"]
    options = spark_options(settings, 4040)
    assert options["spark.driver.extraClassPath"].split(":") == [str(jar) for jar in classpath(settings)]
    assert "spark.jars" not in options, "they would be copied at each start, and loaded past the archive"


def test_javas_archive_is_used_where_it_is_whole(tmp_path: Path) -> None:
    assert archive(jars(tmp_path / "one", "a.jar", "classes-1.jsa.new")) == ()

    (option, *quiet) = archive(jars(tmp_path / "two", "classes-1.jsa"))
    assert option == f"-XX:SharedArchiveFile={tmp_path / 'two' / 'tools' / 'jars' / 'spark' / 'classes-1.jsa'}"
    assert quiet == ["-Xlog:disable", "-Xlog:all=error:stderr"], "one that does not fit must not write into outputs"


def test_what_hides_persons_is_no_option(tmp_path: Path) -> None:
    """Options stand in `ps` and in the UI."""
    settings = Settings(home=tmp_path)

    assert settings.secrets.person not in str(spark_options(settings, 4040))


def test_options_of_java_stay_words_whatever_is_in_them() -> None:
    words = ["-Xss8m", "-Da=/folder/a b/c", '-Db="x"', "-Dc=back\\slash", "-Dd=it's"]

    # Spark splits as a shell does.
    assert shlex.split(java_options(words)) == words


@pytest.mark.parametrize(("before", "after"), [(0, 10), (15, 15), (19, 19)])
def test_a_process_gives_way_and_is_never_made_more_important(before: int, after: int) -> None:
    program = "import os; from conf.spark import give_way; give_way(); print(os.getpriority(os.PRIO_PROCESS, 0))"
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    command = ["nice", "-n", str(max(0, before - mine)), sys.executable, "-c", program]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert int(done.stdout) == max(after, mine)


def test_who_may_not_raise_a_priority_is_not_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "getpriority", lambda *_: 19)
    monkeypatch.setattr(os, "setpriority", refuse)
    give_way()


def test_who_looks_at_spark_changes_nothing_and_reads_no_password(tmp_path: Path) -> None:
    options = spark_options(Settings(home=tmp_path), 4040)

    assert options["spark.ui.killEnabled"] == "false"
    for name in ("spark.redaction.regex", "spark.sql.redaction.options.regex"):
        assert "jaas" in options[name]
        assert "password" in options[name]


def test_sparks_scratch_files_are_the_stacks(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)

    assert Path(spark_options(settings, 4040)["spark.local.dir"]).is_relative_to(settings.data)
