"""``./start.sh lint``: one line a check, and the output of what is wrong."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from infra.local.commands import lint

GOOD, BAD = ("platform",), ("json.tool", "no-such-file")


@pytest.mark.parametrize(("types", "code"), [(GOOD, 0), (BAD, 1)])
def test_one_that_is_wrong_says_why_and_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, types: tuple[str, ...], code: int
) -> None:
    monkeypatch.setattr(lint, "CHECKS", {"types": types, "lint": GOOD})

    answer = CliRunner().invoke(lint.lint)

    assert answer.exit_code == code, answer.output
    assert ("no-such-file" in answer.output) is bool(code)
    assert f"{'✗' if code else '✓'} types" in answer.output
    assert "✓ lint" in answer.output


def test_each_check_is_a_module_that_is_there() -> None:
    for title in lint.CHECKS:
        module, *_ = lint.CHECKS[title]
        assert __import__(module)
