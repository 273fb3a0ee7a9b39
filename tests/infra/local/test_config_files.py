"""Configuration files and secrets: what is in them, and who can read them."""

import shlex
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from conf import Settings
from conf.domain_settings import default_ports
from conf.secrets import Secrets, load_secrets
from infra.local import config_files, parts
from infra.local.errors import Refused
from infra.local.processes import children
from infra.local.processes.supervisor import Supervisor, render


def _values(secrets: Secrets) -> list[str]:
    return list(secrets.by_name().values())


def test_secrets_are_private_and_stay(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    result = load_secrets(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_secrets(file) == result
    assert not any(value in repr(result) for value in _values(result))


def test_two_first_starts_agree_on_the_secrets(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    results: list[Secrets] = []
    together = threading.Barrier(8)

    def first() -> None:
        together.wait()
        results.append(load_secrets(file))

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len({secrets.minio for secrets in results}) == 1


def test_command_lines_hold_no_secret(stack_settings: Settings) -> None:
    result = parts.processes(parts.Machine(stack_settings, Path("/java"), Path("/bin/minio")))
    assert len(result) == 12
    words = " ".join(word for part in result.values() for word in part.command)
    assert not any(value in words for value in _values(stack_settings.secrets))
    assert not any(value in repr(result) for value in _values(stack_settings.secrets))


def test_every_port_has_a_title_and_a_part_or_is_the_supervisor(stack_settings: Settings) -> None:
    taken = [port.name for part in parts.declared(stack_settings).values() for port in part.ports]
    assert sorted([*taken, "supervisor", "job_ui"]) == sorted(default_ports())


def test_the_supervisors_file_is_private_and_marks_each_part(stack_settings: Settings) -> None:
    result = parts.processes(parts.Machine(stack_settings, Path("/java"), Path("/bin/minio")))
    supervisor = Supervisor(stack_settings)
    assert config_files.write_private(supervisor.file, render(stack_settings, result.values()))
    assert supervisor.file.stat().st_mode & 0o777 == 0o600
    assert supervisor.part_names() == list(result)
    text = supervisor.file.read_text()
    assert "port=127.0.0.1:" in text
    for name in result:
        assert f'{children.MARK}="{stack_settings.stack_home}:{name}"' in text


def test_the_supervisor_reads_odd_values_as_they_were_meant(stack_settings: Settings, tmp_path: Path) -> None:
    odd = parts.Process("odd", ["/bin/echo", "a b", 'say "x"', "100%", "c;d"], env={"ODD": 'p%s"w\\,x#y'})
    file = tmp_path / "supervisord.conf"
    stack_settings.run.mkdir(parents=True)
    stack_settings.logs.mkdir(parents=True)
    file.write_text(render(stack_settings, [odd]))
    options = ServerOptions()
    options.realize(["-n", "-c", str(file)])
    (config,) = options.process_group_configs[0].process_configs
    assert shlex.split(config.command) == odd.command
    assert config.environment["ODD"] == 'p%s"w\\,x#y'


@pytest.mark.parametrize("value", ["both \" and '", '"at the end"', "two\nlines", "a #comment"])
def test_a_value_the_supervisor_cannot_hand_on_is_refused(stack_settings: Settings, value: str) -> None:
    odd = parts.Process("odd", ["/bin/true"], env={"SECRET": value})
    with pytest.raises(Refused, match="cannot hand on the value of SECRET") as refusal:
        render(stack_settings, [odd])
    assert value not in str(refusal.value)


def test_an_unchanged_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "x" / "file"
    assert config_files.write_private(file, "a")
    assert not config_files.write_private(file, "a")
    file.chmod(0o644)
    assert config_files.write_private(file, "a")
    assert file.stat().st_mode & 0o777 == 0o600


def test_clickhouse_gets_hashes_and_no_kafka_engine(stack_settings: Settings) -> None:
    config_files.write_clickhouse(stack_settings)
    folder = stack_settings.run / "clickhouse"
    users, config = folder / "users.xml", folder / "config.xml"
    assert users.stat().st_mode & 0o777 == config.stat().st_mode & 0o777 == 0o600
    text = users.read_text()
    assert stack_settings.secrets.clickhouse not in text
    assert stack_settings.secrets.clickhouse_reader not in text
    grants = [query.text or "" for query in ET.parse(users).getroot().iter("query")]
    assert "GRANT TABLE ENGINE ON ReplacingMergeTree" in grants
    assert not any("Kafka" in grant or "TABLE ENGINE ON *" in grant for grant in grants)
    root = ET.parse(config).getroot()
    assert root.findtext("listen_host") == "127.0.0.1"
    assert root.findtext("http_port") == str(stack_settings.port("clickhouse"))
    assert stack_settings.s3_secret not in config.read_text()
    # An ordinary server, which takes the same users.xml, does not start where it does not know a setting.
    assert "python" not in text
    assert "allow_python_table_function" in (folder / "users.d" / "chdb.xml").read_text()


def test_kafka_listens_on_loopback_only(stack_settings: Settings) -> None:
    config_files.write_kafka(stack_settings)
    lines = (stack_settings.run / "kafka" / "kraft.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    port, controller = stack_settings.port("kafka"), stack_settings.port("kafka_controller")
    assert properties["listeners"] == f"SASL_PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"
    assert properties["auto.create.topics.enable"] == "false"
    assert int(properties["message.max.bytes"]) > 16 * 1024 * 1024


def test_kafka_lets_nobody_in_without_a_password(stack_settings: Settings) -> None:
    config_files.write_kafka(stack_settings)
    file = stack_settings.run / "kafka" / "kraft.properties"
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    protocols = {entry.split(":")[1] for entry in properties["listener.security.protocol.map"].split(",")}
    assert protocols == {"SASL_PLAINTEXT"}
    assert properties["authorizer.class.name"]
    assert "allow.everyone.if.no.acl.found" not in properties
    secrets = stack_settings.secrets
    clients = properties["listener.name.sasl_plaintext.plain.sasl.jaas.config"]
    assert f'user_sauda="{secrets.kafka}"' in clients
    # The controller has the broker as its only client.
    controllers = properties["listener.name.controller.plain.sasl.jaas.config"]
    assert secrets.kafka not in controllers
    assert f'user_broker="{secrets.kafka_broker}"' in controllers


@pytest.mark.parametrize("name", ["sau da", "100%", "Сауда", "back\\slash", "🙂", "it's", "a#b"])
def test_kafka_finds_its_data_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    settings = Settings(home=tmp_path / name, stack="unit")
    config_files.write_kafka(settings)
    text = (settings.run / "kafka" / "kraft.properties").read_bytes()
    (line,) = [line for line in text.splitlines() if line.startswith(b"log.dirs=")]
    # As Java reads it: Latin-1, and \\uXXXX a unit of UTF-16.
    read = line.partition(b"=")[2].decode("unicode-escape").encode("utf-16", "surrogatepass").decode("utf-16")
    assert read == str(settings.data / "kafka")


@pytest.mark.parametrize("name", ["sau da", "100%", "Сауда", "back\\slash", "it's"])
def test_the_supervisor_starts_parts_from_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    settings = Settings(home=tmp_path / name, stack="unit")
    result = parts.processes(parts.Machine(settings, tmp_path / name / "java", tmp_path / name / "minio"))
    settings.run.mkdir(parents=True)
    settings.logs.mkdir(parents=True)
    (settings.run / "supervisord.conf").write_text(render(settings, result.values()))
    options = ServerOptions()
    options.realize(["-n", "-c", str(settings.run / "supervisord.conf")])
    configs = {group.name: group.process_configs[0] for group in options.process_group_configs}
    for part in result.values():
        assert shlex.split(configs[part.name].command) == part.command
        assert configs[part.name].environment[children.MARK] == children.mark(settings, part.name)
        assert configs[part.name].stdout_logfile == str(settings.logs / f"{part.name}.log")
