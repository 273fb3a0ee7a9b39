"""What is particular to goszakup as an API: its address, its token, its limit, and where its state lies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from conf.domains.procurement import ProcurementSettings
from ingestion.collecting.client import Budget, Client, Service
from ingestion.collecting.limiter import Limiter
from ingestion.collecting.pace_file import pace_path
from ingestion.collecting.state import state_path
from ingestion.core.errors import Unreadable

HOW_TO_GET_A_TOKEN = (
    "Make one in your account on goszakup.gov.kz under 'Выпуск токена' (a first one is given on a letter to "
    "АО «Центр электронных финансов»; it is valid for a year) and set SAUDA_GOSZAKUP_TOKEN, or "
    "SAUDA_GOSZAKUP_TOKEN_FILE to the file that holds it."
)


def goszakup_client(
    settings: ProcurementSettings, *, limiter: Limiter | None = None, transport: httpx.AsyncBaseTransport | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, clock: Callable[[], float] = time.monotonic,
) -> Client:  # fmt: skip
    """A client of goszakup, which has one limit for all who ask with one token. Raises Unreadable without a token."""
    limiter = limiter or Limiter(settings.goszakup_requests_per_second, clock, sleep)
    return Client(goszakup(settings), [Budget(limiter)], transport=transport, sleep=sleep, clock=clock)


def goszakup(settings: ProcurementSettings) -> Service:
    """Raises Unreadable where there is no token that can be used."""
    return Service(
        name="goszakup",
        collection=settings.goszakup_collection,
        base_url=settings.goszakup_url,
        headers={"Authorization": f"Bearer {_token(settings)}", "Content-Type": "application/json"},
        concurrency=settings.goszakup_concurrency,
        timeout_seconds=settings.goszakup_timeout_seconds,
        remedy=HOW_TO_GET_A_TOKEN,
        ca_bundle=settings.goszakup_ca_bundle,
        ca_bundle_setting="SAUDA_GOSZAKUP_CA_BUNDLE",
    )


def goszakup_state_path(settings: ProcurementSettings) -> Path:
    """Where the state of the collection lies that the settings name."""
    return state_path(settings, settings.goszakup_collection, settings.goszakup_url)


def goszakup_pace_path(settings: ProcurementSettings) -> Path:
    """Where its pace stands while it runs."""
    return pace_path(goszakup_state_path(settings))


def _token(settings: ProcurementSettings) -> str:
    try:
        token = settings.goszakup_secret
    except (OSError, UnicodeDecodeError) as problem:
        raise Unreadable(
            f"The file with the token of goszakup cannot be read: {problem}. {HOW_TO_GET_A_TOKEN}"
        ) from None
    if not token:
        raise Unreadable(f"There is no token for goszakup. {HOW_TO_GET_A_TOKEN}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Unreadable(f"The token of goszakup has signs that no token has. {HOW_TO_GET_A_TOKEN}")
    return token
