"""Requests to goszakup: paced, repeated where that may help, and never more of them than were allowed."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from conf.domains.procurement import ProcurementSettings
from ingestion.collecting.limiter import Limiter
from ingestion.collecting.state import is_loopback
from ingestion.core.errors import IngestError, Unreadable
from ingestion.procurement.goszakup.pages import Damaged

TRIES = 6
"""How often an answer that cannot be read is asked for: what is wrong in the data stays wrong. Others at least."""
PATIENCE = 600.0
"""Seconds for which a request is repeated that the service does not answer, or answers with a fault or a web page."""
FIRST_PATIENCE = 30.0
"""Seconds of that before the service has answered anything at all: then it is rather its address that is wrong."""
LONGEST_WAIT = 60.0
TOO_MANY_PAUSE = 10.0
"""Seconds without any request after a 429 that does not say how long, times the tries so far: as users of it do."""
LONGEST_PAUSE = 3_600.0
"""Seconds for which Retry-After is obeyed at most."""
HOW_TO_GET_A_TOKEN = (
    "Make one in your account on goszakup.gov.kz under 'Выпуск токена' (a first one is given on a letter to "
    "АО «Центр электронных финансов»; it is valid for a year) and set SAUDA_GOSZAKUP_TOKEN, or "
    "SAUDA_GOSZAKUP_TOKEN_FILE to the file that holds it."
)


class TokenRefused(Unreadable):
    """The service does not know the token, or no longer."""


class NoAnswer(IngestError):
    """A request that failed for good. Other registers go on."""


class Useless(Exception):
    """The last of all attempts still gave a body that cannot be read. `reason` says why."""

    def __init__(self, url: str, body: bytes, reason: str) -> None:
        super().__init__(reason)
        self.url, self.body, self.reason = url, body, reason


class _Again(Exception):
    """An attempt failed in a way that another may not. The message says how."""


class _Broken(_Again):
    """An answer came, with a body that cannot be read. A web page may be the service's way to say that it is down."""

    def __init__(self, body: bytes, reason: str) -> None:
        super().__init__(reason)
        self.body = body
        self.may_pass = body.lstrip()[:1] == b"<"


class _TooMany(_Again):
    """The service answered 429 and did not say for how long."""


@dataclass
class Counts:
    """What asking one endpoint took. Seconds are those of the requests themselves."""

    pages: int = 0
    retries: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    not_found: int = 0


@dataclass(frozen=True)
class Answer:
    """`read` is what the check made of the body; None where the service answered 404."""

    url: str
    body: bytes
    read: Any
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


Check = Callable[[bytes], Any]


class Client:
    """An HTTP client for one service. Use it in an `async with`."""

    def __init__(
        self, settings: ProcurementSettings, *, limiter: Limiter | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        token = _token(settings)
        self.base = settings.goszakup_url.rstrip("/")
        self.collection = settings.goszakup_collection
        self.limiter = limiter or Limiter(settings.goszakup_requests_per_second, clock, sleep)
        self._places = asyncio.Semaphore(settings.goszakup_concurrency)
        self._sleep, self._clock = sleep, clock
        self._was_answered = False
        self._http = httpx.AsyncClient(
            base_url=self.base,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            timeout=settings.goszakup_timeout_seconds,
            verify=_trusted(settings.goszakup_ca_bundle),
            transport=transport,
            # A proxy of the environment is no way to this machine itself.
            trust_env=not is_loopback(urlsplit(self.base).hostname or ""),
            limits=httpx.Limits(max_connections=settings.goszakup_concurrency),
        )

    async def get(self, address: str, check: Check, counts: Counts, tries: int | None = None) -> Answer:
        """Ask for an address of the service. `check` makes something of the body or raises Damaged.

        With `tries` a damaged answer is asked for so often and no more. Raises TokenRefused, NoAnswer when no attempt
        was answered, and Useless when the last answer was damaged.
        """
        return await self._ask("GET", address, check, counts, tries)

    async def post(self, address: str, body: dict[str, Any], check: Check, counts: Counts) -> Answer:
        return await self._ask("POST", address, check, counts, None, json=body)

    async def _ask(
        self, method: str, address: str, check: Check, counts: Counts, tries: int | None, **sent: Any
    ) -> Answer:  # fmt: skip
        began = self._clock()
        tried = 0

        def again(state: RetryCallState) -> None:
            counts.retries += 1
            problem = state.outcome.exception() if state.outcome else None
            if isinstance(problem, _TooMany):
                self.limiter.pause(TOO_MANY_PAUSE * state.attempt_number)

        def is_enough(state: RetryCallState) -> bool:
            nonlocal tried
            tried = state.attempt_number
            problem = state.outcome.exception() if state.outcome else None
            if isinstance(problem, _Broken) and (tries or not problem.may_pass):
                return tried >= (tries or TRIES)
            patience = PATIENCE if self._was_answered else FIRST_PATIENCE
            return tried >= TRIES and self._clock() - began >= patience

        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_Again),
            wait=wait_random_exponential(multiplier=1, max=LONGEST_WAIT),
            stop=is_enough,
            before_sleep=again,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return await attempts(self._once, method, address, check, counts, **sent)
        except _Broken as problem:
            raise Useless(f"{self.base}{address}", problem.body, str(problem)) from None
        except _Again as problem:
            raise NoAnswer(
                f"{self.base}{address} failed {tried} times in {self._clock() - began:,.0f} s, the last time so: "
                f"{problem}. Running it again goes on from there."
            ) from None

    async def _once(self, method: str, address: str, check: Check, counts: Counts, **sent: Any) -> Answer:
        async with self._places:
            await self.limiter.turn()
            started = time.monotonic()
            try:
                response = await self._http.request(method, address, **sent)
            except httpx.TimeoutException:
                self.limiter.broken()
                raise _Again("no answer in time") from None
            except httpx.DecodingError as problem:
                self.limiter.broken()
                raise _Again(f"the answer is wrongly compressed: {problem}") from None
            except httpx.TransportError as problem:
                if _is_certificate(problem):
                    raise NoAnswer(
                        f"{self.base} shows a certificate that is not trusted: {problem}. Name the bundle that has "
                        "its authority as SAUDA_GOSZAKUP_CA_BUNDLE."
                    ) from None
                self.limiter.broken()
                raise _Again(str(problem) or type(problem).__name__) from None
            finally:
                took = time.monotonic() - started
                counts.seconds += took
                counts.slowest = max(counts.slowest, took)
        return self._judged(response, address, check, counts)

    def _judged(self, response: httpx.Response, address: str, check: Check, counts: Counts) -> Answer:
        self._was_answered = True
        status = response.status_code
        url = f"{self.base}{address}"
        if status in (401, 403):
            raise TokenRefused(
                f"goszakup refused the token ({status} at {url}): it is wrong, or its year is over. "
                f"{HOW_TO_GET_A_TOKEN}"
            )
        if status == 429 or status >= 500:
            self.limiter.too_many() if status == 429 else self.limiter.broken()
            wait = _retry_after(response.headers.get("retry-after", ""), datetime.now(UTC))
            if wait:
                self.limiter.pause(min(wait, LONGEST_PAUSE))
            raise (_TooMany if status == 429 and not wait else _Again)(f"status {status}")
        if status == 404:
            self.limiter.good()
            counts.not_found += 1
            return Answer(url, response.content, None)
        if status != 200:
            raise NoAnswer(f"{url} answered with the status {status}, where 200 was expected.")
        try:
            read = check(response.content)
        except Damaged as problem:
            self.limiter.broken()
            raise _Broken(response.content, str(problem)) from None
        self.limiter.good()
        counts.pages += 1
        return Answer(url, response.content, read)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.aclose()


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


def _trusted(bundle: Path | None) -> ssl.SSLContext | bool:
    if bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(bundle))
    except (OSError, ssl.SSLError) as problem:
        raise Unreadable(f"SAUDA_GOSZAKUP_CA_BUNDLE={bundle} cannot be read as certificates: {problem}.") from None


def _is_certificate(problem: BaseException | None) -> bool:
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _retry_after(text: str, now: datetime) -> float:
    """Seconds, given as such or as a date; 0 where it is neither."""
    text = text.strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text).astimezone(UTC) - now).total_seconds())
    except ValueError:
        return 0.0
