"""The reference of the settings."""

from conf import reference


def test_it_is_what_the_settings_say() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.document(), "python -m conf.reference"


def test_settings_of_domains_and_ports_are_in_it() -> None:
    text = reference.document()

    assert "| `SAUDA_KAFKA_PORT` | whole number | `9092` |" in text
    assert "| `SAUDA_GOSZAKUP_TOKEN` | secret |" in text
    assert "| `SAUDA_PROFILE` | `local`, `cluster` | `local` |" in text
