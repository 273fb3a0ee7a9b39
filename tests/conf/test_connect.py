"""How clients log in at Kafka: one place for librdkafka and for Spark, here and elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from conf import REPOSITORY, Settings, wrong_settings
from conf.connect import consumer_config, jaas, kafka_config, kafka_spark_options, producer_config

ELSEWHERE = {"kafka_bootstrap": "kafka.example:9093"}


def test_the_stacks_own_kafka_is_asked_with_its_password(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path)
    password = chosen.secrets.kafka

    for config in (kafka_config(chosen), producer_config(chosen), consumer_config(chosen, "g")):
        assert config["security.protocol"] == "SASL_PLAINTEXT"
        assert (config["sasl.mechanism"], config["sasl.username"], config["sasl.password"]) == (
            "PLAIN", "sauda", password,
        )  # fmt: skip
    options = kafka_spark_options(chosen)
    assert options["kafka.security.protocol"] == "SASL_PLAINTEXT"
    assert options["kafka.sasl.jaas.config"] == (
        f'org.apache.kafka.common.security.plain.PlainLoginModule required username="sauda" password="{password}";'
    )


def test_whoever_reads_sees_what_was_committed_only(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path)

    assert consumer_config(chosen, "g")["isolation.level"] == "read_committed"
    assert kafka_spark_options(chosen)["kafka.isolation.level"] == "read_committed"


def test_another_kafka_may_take_anybody() -> None:
    chosen = Settings(**ELSEWHERE)

    assert kafka_config(chosen) == {"bootstrap.servers": "kafka.example:9093", "security.protocol": "PLAINTEXT"}
    assert not [name for name in kafka_spark_options(chosen) if "sasl" in name]


def test_another_kafka_with_a_user_is_asked_over_tls(tmp_path: Path) -> None:
    chosen = Settings(**ELSEWHERE, kafka_user="shop", kafka_password='a"b\\c', kafka_ca_file=tmp_path / "ca.pem")

    config, options = kafka_config(chosen), kafka_spark_options(chosen)
    assert (config["security.protocol"], config["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert config["sasl.password"] == 'a"b\\c'
    assert config["ssl.ca.location"] == options["kafka.ssl.truststore.location"] == str(tmp_path / "ca.pem")
    assert options["kafka.sasl.jaas.config"] == (
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="shop" password="a\\"b\\\\c";'
    )


def test_what_is_quoted_stays_one_word() -> None:
    assert jaas("PLAIN", password='x" username="root') == (
        'org.apache.kafka.common.security.plain.PlainLoginModule required password="x\\" username=\\"root";'
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kafka_user": "shop"}, "SAUDA_KAFKA_USER and SAUDA_KAFKA_PASSWORD are set together, or neither of them"),
        ({"kafka_security_protocol": "SASL_SSL"}, "SAUDA_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs SAUDA_KAFKA_USER"),
        ({"kafka_sasl_mechanism": "NTLM"}, "SAUDA_KAFKA_SASL_MECHANISM=NTLM: Input should be"),
    ],
)
def test_half_a_login_is_refused_with_a_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(**ELSEWHERE, **given)

    assert sentence in wrong_settings(refusal.value)[0]


def test_a_wrong_setting_does_not_show_the_secrets_beside_it() -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(**ELSEWHERE, kafka_password="hush-hush", s3_secret_key=["hush-hush"])

    assert "hush" not in str(refusal.value)
    assert "hush" not in " ".join(wrong_settings(refusal.value))


def test_the_login_is_not_shown() -> None:
    assert "hush" not in repr(Settings(**ELSEWHERE, kafka_user="shop", kafka_password="hush").kafka_login)


def test_no_other_module_says_how_kafka_is_reached() -> None:
    """A client that is made elsewhere has no login, and reads what was taken back."""
    folders = ("api", "bench", "conf", "infra", "ingestion", "jobs", "schemas", "streaming")
    modules = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]
    others = {path.relative_to(REPOSITORY).as_posix() for path in modules if "bootstrap.servers" in path.read_text()}

    # The rehearsal asks where nobody answers.
    assert others == {"conf/connect.py", "infra/local/tools/rehearsal.py"}
