"""``python -m standins.goszakup``: play the open data service of goszakup.gov.kz on loopback."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import click
import orjson
import uvicorn

from conf.settings import LOOPBACK
from standins.goszakup.app import Site, build_app
from standins.goszakup.faults import KINDS, Faults
from standins.goszakup.guard import Guard
from standins.goszakup.ocds import write_packages
from standins.goszakup.service import Service
from standins.goszakup.truths import truths
from standins.goszakup.world import make_world

OUT = click.Path(path_type=Path, dir_okay=False)


def _kinds(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    kinds = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise click.BadParameter(f"{', '.join(unknown) or 'nothing'}; there are {', '.join(KINDS)}.")
    return kinds


def _seed(_: click.Context, __: click.Parameter, text: str) -> int | None:
    if text == "none":
        return None
    if not text.isdigit():
        raise click.BadParameter(f"{text!r}; expected a whole number, or none.")
    return int(text)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        # Now, for it tells that it is ready before the server begins to accept.
        listener.listen(128)
    except OSError as problem:
        why = f"Port {port} cannot be had ({problem.strerror}); choose another with --port."
        raise click.ClickException(why) from None
    return listener


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--port", type=click.IntRange(0, 65535), default=18500, help="Port on loopback; 0 takes a free one.")
@click.option("--lots", type=click.IntRange(200, 2_000_000), default=1000, help="Lots before the world's opening.")
@click.option("--seed", type=click.IntRange(0), default=1, help="The same seed makes the same world.")
@click.option("--days", type=click.IntRange(1, 365), default=30, help="How many days POST /standin/day can let happen.")
@click.option("--token", envvar="SAUDA_GOSZAKUP_TOKEN", show_envvar=True, show_default=False,
              help="The token that clients must send.")  # fmt: skip
@click.option("--token-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), show_default=False,
              help="A file with that token.")  # fmt: skip
@click.option("--rate-limit", type=click.FloatRange(0, min_open=True), show_default="none",
              help="Requests a second; more are answered with 429.")  # fmt: skip
@click.option("--faults", "fault_seed", default="none", callback=_seed, help="Seed of the faults, or none.")
@click.option("--fault-kinds", default=",".join(KINDS), callback=_kinds, help="Which faults happen.")
@click.option("--fault-share", type=click.FloatRange(0, 1), default=0.1, help="Share of requests that go wrong.")
@click.option("--hang-seconds", type=click.FloatRange(0), default=60.0, help="How long a hanging answer takes.")
@click.option("--truths", "truths_file", type=OUT, help="Write the planted truths there, as JSON.")
@click.option("--ocds", type=OUT, help="Write the world as OCDS release packages there, one a line, and end.")
def main(
    port: int, lots: int, seed: int, days: int, token: str | None, token_file: Path | None, rate_limit: float | None,
    fault_seed: int | None, fault_kinds: tuple[str, ...], fault_share: float, hang_seconds: float,
    truths_file: Path | None, ocds: Path | None,
) -> None:  # fmt: skip
    """Play the open data service of goszakup.gov.kz on loopback: 74 paths over a seeded world.

    Clients send `Authorization: Bearer TOKEN`. With the same token, POST /standin/day lets a day happen,
    GET /standin/counts and /standin/world tell the truth, POST /standin/expire and /standin/renew end and renew the
    token.
    """
    started = time.monotonic()
    if token_file and not token:
        token = token_file.read_text(encoding="utf-8").strip()
    if not token and not ocds:
        raise click.UsageError("No token: give --token, --token-file or SAUDA_GOSZAKUP_TOKEN.")
    world = make_world(seed, lots, days)
    if truths_file:
        truths_file.write_bytes(orjson.dumps(truths(world), option=orjson.OPT_INDENT_2))
    if ocds:
        packages, releases = write_packages(world, ocds)
        click.echo(f"{releases:,} releases in {packages:,} packages written to {ocds}.")
        return
    site = Site(
        Service(world), Guard(token or "", rate_limit), Faults(fault_seed, fault_share, fault_kinds, hang_seconds)
    )
    config = uvicorn.Config(
        build_app(site), host=LOOPBACK, port=port, loop="uvloop", http="httptools", lifespan="off",
        log_level="critical", access_log=False,
    )  # fmt: skip
    listener = _listen(port)
    counts = site.service.counts()
    registers = ", ".join(f"{counts[path]:,} {path.removeprefix('/v3/')}" for path in (
        "/v3/subject", "/v3/plans/all", "/v3/trd-buy", "/v3/lots", "/v3/trd-app", "/v3/contract", "/v3/acts",
        "/v3/treasury-pay", "/v3/rnu"))  # fmt: skip
    address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    click.echo(f"{address} is ready after {time.monotonic() - started:.1f} s: {registers}.")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(prog_name="python -m standins.goszakup")
