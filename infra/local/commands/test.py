"""``./start.sh test``: linters, unit tests, service tests."""

from __future__ import annotations

import click

from infra.local.command_line import current, out
from infra.local.errors import Refused


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--unit", is_flag=True, help="Only linters and unit tests: no parts are started.")
@click.option("--smoke", is_flag=True, help="Linters, unit tests of what has changed, and one flow a domain.")
@click.option(
    "--need-browser", is_flag=True, envvar="CI",
    help="Fail where Chromium is missing and could be installed; set where CI=true.",
)  # fmt: skip
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(unit: bool, smoke: bool, need_browser: bool, arguments: tuple[str, ...]) -> None:
    """Run linters, unit tests and service tests on a stack of their own (stack `test`), and take it down.

    ARGUMENTS after -- go to pytest, which then is all that runs: ./start.sh test -- tests/services -k kill
    """
    from infra.local import testing

    chosen = current("test")
    if chosen.stack == "main":
        raise Refused("The tests wipe their stack, so they do not run on `main`: unset SAUDA_STACK.")
    if unit and smoke:
        raise click.UsageError("--unit and --smoke exclude one another")
    scope = testing.Scope.UNIT if unit else testing.Scope.SMOKE if smoke else testing.Scope.ALL
    code = testing.run(chosen, out(), arguments, scope, need_browser)
    if code:
        raise SystemExit(code)
