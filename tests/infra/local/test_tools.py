"""Finding Java, Go, jars."""

from pathlib import Path

import pytest

from conf import Settings
from infra.local.errors import Failed, Refused
from infra.local.servers import minio
from infra.local.tools import jars, java


def fake_java(folder: Path, listing: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ncat <<'X'\n{listing}\nX\n")
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("listing", "version"),
    [
        ("java.base@17.0.15\njdk.incubator.vector@17.0.15", 17),
        ("java.base@25\njdk.incubator.vector@25", 25),
        ("java.base@21.0.2+13-LTS", 21),
        ("java.base@9", 9),
        ("Unrecognized option: --list-modules\nError: Could not create the Java Virtual Machine.", 0),
        ("", 0),
    ],
)
def test_the_version_is_read_from_the_modules(listing: str, version: int) -> None:
    actual, modules = java.parse_modules(listing)
    assert actual == version
    assert ("java.base" in modules) == bool(version)


@pytest.mark.parametrize(
    ("listing", "fault"),
    [
        ("java.base@17.0.1\njdk.incubator.vector@17.0.1", None),
        ("java.base@11.0.2\njdk.incubator.vector@11.0.2", "is Java 11"),
        ("java.base@21.0.2", "lacks the module jdk.incubator.vector"),
    ],
)
def test_a_java_that_spark_cannot_use_is_told_why(tmp_path: Path, listing: str, fault: str | None) -> None:
    actual = java.inspect(fake_java(tmp_path / "jdk", listing))
    assert actual
    assert (actual.fault or "").startswith(fault or "")
    assert (actual.fault is None) == (fault is None)


def test_a_wrong_java_of_the_users_choice_is_refused(tmp_path: Path, stack_settings: Settings) -> None:
    chosen = fake_java(tmp_path / "jdk", "java.base@11.0.2")
    settings = stack_settings.model_copy(update={"java_home": chosen})
    with pytest.raises(Refused, match=r"SAUDA_JAVA_HOME will not do:\n.*is Java 11"):
        java.ensure(settings, lambda _: None)


def test_without_java_and_rights_the_command_is_told(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "candidates", lambda _: iter(()))
    monkeypatch.setattr(java, "is_debian", lambda: True)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Refused, match=r"sudo apt-get install -y openjdk-17-jre-headless"):
        java.ensure(stack_settings, lambda _: None)


def test_the_chosen_java_is_remembered(
    tmp_path: Path, stack_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    home = fake_java(tmp_path / "jdk", "java.base@17.0.1\njdk.incubator.vector@17.0.1")
    monkeypatch.setattr(java, "candidates", lambda _: iter((tmp_path / "none", home)))
    assert java.remembered(stack_settings) is None
    assert java.ensure(stack_settings, lambda _: None) == home
    assert java.remembered(stack_settings) == home
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "other"))
    assert java.remembered(stack_settings) is None


@pytest.mark.parametrize(
    ("jar", "name"),
    [
        ("delta-storage-4.4.0.jar", "delta-storage"),
        ("delta-spark_4.2_2.13-4.4.0.jar", "delta-spark_4.2_2.13"),
        ("netty-buffer-4.1.126.Final.jar", "netty-buffer"),
        ("spark-sql-kafka-0-10_2.13-4.2.0.jar", "spark-sql-kafka"),
        ("odd.jar", "odd.jar"),
    ],
)
def test_two_versions_of_a_jar_are_known_as_one(jar: str, name: str) -> None:
    assert jars.artifact(jar) == name


def test_jars_of_another_pom_are_not_current(stack_settings: Settings) -> None:
    folder = stack_settings.jars / "kafka"
    folder.mkdir(parents=True)
    assert not jars.is_current(stack_settings, "kafka")
    (folder / ".stamp").write_text("of an older pom.xml")
    assert not jars.is_current(stack_settings, "kafka")


def test_jars_come_whole_and_without_those_of_pyspark(tmp_path: Path, stack_settings: Settings) -> None:
    shipped = next(jars.pyspark_jars().glob("scala-library-*.jar"))
    maven = tmp_path / "mvn"
    maven.write_text(
        "#!/bin/sh\nfor word; do case $word in -DoutputDirectory=*) folder=${word#*=};; esac; done\n"
        'mkdir -p "$folder"; touch "$folder/scala-library-2.13.1.jar" "$folder/mine-1.0.jar"\n'
    )
    maven.chmod(0o755)
    jars.ensure(stack_settings, "spark", maven, tmp_path, lambda _: None)
    assert shipped.exists()
    assert [jar.name for jar in (stack_settings.jars / "spark").glob("*.jar")] == ["mine-1.0.jar"]
    assert jars.is_current(stack_settings, "spark")


def test_a_failed_fetch_leaves_nothing_and_says_why(tmp_path: Path, stack_settings: Settings) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho cannot reach the registry\nexit 1\n")
    maven.chmod(0o755)
    with pytest.raises(Failed, match="cannot reach the registry"):
        jars.ensure(stack_settings, "kafka", maven, tmp_path, lambda _: None)
    assert not (stack_settings.jars / "kafka").exists()


@pytest.mark.parametrize(
    ("output", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26)), ("go version devel go1.27-abc linux/amd64", (1, 27)), ("", (0, 0))],
)
def test_the_version_of_go_is_read(tmp_path: Path, output: str, version: tuple[int, int]) -> None:
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\necho '{output}'\n")
    go.chmod(0o755)
    assert minio.go_version(go) == version
    assert minio.go_version(tmp_path / "missing") == (0, 0)
