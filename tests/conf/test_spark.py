"""What a Spark session is started with."""

from __future__ import annotations

from pathlib import Path

from conf import Settings
from conf.spark import archive, classpath, spark_options


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
