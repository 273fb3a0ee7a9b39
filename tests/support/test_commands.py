"""A command that runs in the tests' process ends as one of its own does."""

import pytest

from tests.support.commands import run_command


@pytest.mark.parametrize("separate", [False, True])
def test_a_command_ends_with_its_code_and_what_it_printed(separate: bool) -> None:
    listed = run_command("jobs.commands.run", "--list", separate=separate)
    refused = run_command("jobs.commands.run", "nothing_like_it", separate=separate)

    assert (listed.code, listed.err) == (0, "")
    assert "gold.purchases_seller_daily" in listed.out.splitlines()
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("No job is called 'nothing_like_it'; there are: ")


def test_it_sees_the_environment_of_its_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAUDA_KAFKA_PORT", "9")
    shown = run_command("tests.support.shown_setting", "kafka_port")
    monkeypatch.setenv("SAUDA_KAFKA_PORT", "10")

    assert shown.out == "9\n"
    assert run_command("tests.support.shown_setting", "kafka_port").out == "10\n"
