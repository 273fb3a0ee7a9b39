"""Requests to an HTTP API: paced, repeated where that may help, and never more of them than were allowed.

What is particular to one API is a `Service`. The limits that it sets are `Budget`s: one a network address, say, and
one an account. Clients that share a limit share its limiter.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from ingestion.collecting.limiter import Limiter
from ingestion.collecting.loopback import is_loopback
from ingestion.core.errors import IngestError, Unreadable

TRIES = 6
"""How often an answer that cannot be read is asked for: what is wrong in the data stays wrong. Others at least."""
PATIENCE = 600.0
"""Seconds for which a request is repeated that the service does not answer, or answers with a fault or a web page."""
FIRST_PATIENCE = 30.0
"""Seconds of that before the service has answered anything at all: then it is rather its address that is wrong."""
LONGEST_WAIT = 60.0
TOO_MANY_PAUSE = 10.0
"""Seconds without any request after a 429 that does not say how long, times the tries so far: as users of APIs do."""
LONGEST_PAUSE = 3_600.0
"""Seconds for which Retry-After is obeyed at most."""


class CredentialsRefused(Unreadable):
    """The service does not accept the credentials, or no longer."""


class DamagedBody(Exception):
    """A body is not what was to come: a web page, cut off, or of another shape. The message says which."""


class NoAnswer(IngestError):
    """A request that failed for good. Other registers go on."""


class UnreadableAnswer(Exception):
    """The last of all attempts still gave a body that cannot be read. `reason` says why."""

    def __init__(self, url: str, body: bytes, reason: str) -> None:
        super().__init__(reason)
        self.url, self.body, self.reason = url, body, reason


class _Again(Exception):
    """An attempt failed in a way that another may not. The message says how."""


class _DamagedAnswer(_Again):
    """An answer came, with a body that cannot be read. A web page may be the service's way to say that it is down."""

    def __init__(self, body: bytes, reason: str) -> None:
        super().__init__(reason)
        self.body = body
        self.may_pass = body.lstrip()[:1] == b"<"


class _TooMany(_Again):
    """A limit of the service was met, and it did not say for how long. `pause` is how long its budget rests then."""

    def __init__(self, reason: str, limiter: Limiter, pause: float) -> None:
        super().__init__(reason)
        self.limiter, self.pause = limiter, pause


@dataclass(frozen=True)
class Service:
    """What is particular to one API.

    `collection` is the name under which its rows are kept. An answer with a status of `refusals` means that the
    `credentials`, as people call them, are not accepted; `remedy` says in a sentence what to do then.
    `ca_bundle_setting` is the setting that names other certificates than the usual ones.
    """

    name: str
    collection: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = 4
    timeout_seconds: float = 30.0
    credentials: str = "token"
    refusals: frozenset[int] = frozenset({401, 403})
    remedy: str = ""
    ca_bundle: Path | None = None
    ca_bundle_setting: str = ""


@dataclass(frozen=True)
class Budget:
    """A limit of the service that every request of a client counts against.

    `pauses` are the statuses by which the service says that the limit was met, each with the seconds that nothing is
    asked for where the answer has no Retry-After, times the tries so far.
    """

    limiter: Limiter
    pauses: Mapping[int, float] = field(default_factory=lambda: {429: TOO_MANY_PAUSE})


@dataclass
class RequestCounts:
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
        self, service: Service, budgets: Sequence[Budget], *, transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.service, self.budgets = service, tuple(budgets)
        self.base, self.collection = service.base_url.rstrip("/"), service.collection
        self._places = asyncio.Semaphore(service.concurrency)
        self._sleep, self._clock = sleep, clock
        self._was_answered = False
        self._http = httpx.AsyncClient(
            base_url=self.base,
            headers=dict(service.headers),
            timeout=service.timeout_seconds,
            verify=_trusted(service),
            transport=transport,
            # A proxy of the environment is no way to this machine itself.
            trust_env=not is_loopback(urlsplit(self.base).hostname or ""),
            limits=httpx.Limits(max_connections=service.concurrency),
        )

    @property
    def limiter(self) -> Limiter:
        """The limiter that allows least now: it sets the pace."""
        return min((budget.limiter for budget in self.budgets), key=lambda limiter: limiter.rate)

    async def get(self, address: str, check: Check, counts: RequestCounts, tries: int | None = None) -> Answer:
        """Ask for an address of the service. `check` makes something of the body or raises DamagedBody.

        With `tries` a damaged answer is asked for so often and no more. Raises CredentialsRefused, NoAnswer when no
        attempt was answered, and UnreadableAnswer when the last answer was damaged.
        """
        return await self._ask("GET", address, check, counts, tries)

    async def post(self, address: str, body: dict[str, Any], check: Check, counts: RequestCounts) -> Answer:
        return await self._ask("POST", address, check, counts, None, json=body)

    async def _ask(
        self, method: str, address: str, check: Check, counts: RequestCounts, tries: int | None, **sent: Any
    ) -> Answer:  # fmt: skip
        began = self._clock()
        tried = 0

        def again(state: RetryCallState) -> None:
            counts.retries += 1
            problem = state.outcome.exception() if state.outcome else None
            if isinstance(problem, _TooMany):
                problem.limiter.pause(problem.pause * state.attempt_number)

        def is_enough(state: RetryCallState) -> bool:
            nonlocal tried
            tried = state.attempt_number
            problem = state.outcome.exception() if state.outcome else None
            if isinstance(problem, _DamagedAnswer) and (tries or not problem.may_pass):
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
        except _DamagedAnswer as problem:
            raise UnreadableAnswer(f"{self.base}{address}", problem.body, str(problem)) from None
        except _Again as problem:
            raise NoAnswer(
                f"{self.base}{address} failed {tried} times in {self._clock() - began:,.0f} s, the last time so: "
                f"{problem}. Running it again goes on from there."
            ) from None

    async def _once(self, method: str, address: str, check: Check, counts: RequestCounts, **sent: Any) -> Answer:
        async with self._places:
            for budget in self.budgets:
                await budget.limiter.turn()
            started = time.monotonic()
            try:
                response = await self._http.request(method, address, **sent)
            except httpx.TimeoutException:
                self._broken()
                raise _Again("no answer in time") from None
            except httpx.DecodingError as problem:
                self._broken()
                raise _Again(f"the answer is wrongly compressed: {problem}") from None
            except httpx.TransportError as problem:
                if _is_certificate(problem):
                    raise NoAnswer(
                        f"{self.base} shows a certificate that is not trusted: {problem}. Name the bundle that has "
                        f"its authority as {self.service.ca_bundle_setting}."
                    ) from None
                self._broken()
                raise _Again(str(problem) or type(problem).__name__) from None
            finally:
                took = time.monotonic() - started
                counts.seconds += took
                counts.slowest = max(counts.slowest, took)
        return self._checked(response, address, check, counts)

    def _checked(self, response: httpx.Response, address: str, check: Check, counts: RequestCounts) -> Answer:
        self._was_answered = True
        status = response.status_code
        url = f"{self.base}{address}"
        wait = min(_retry_after(response.headers.get("retry-after", ""), datetime.now(UTC)), LONGEST_PAUSE)
        for budget in self.budgets:
            if status in budget.pauses:
                budget.limiter.too_many(status)
                if wait:
                    budget.limiter.pause(wait)
                    raise _Again(f"status {status}")
                raise _TooMany(f"status {status}", budget.limiter, budget.pauses[status])
        if status in self.service.refusals:
            raise CredentialsRefused(
                f"{self.service.name} refused the {self.service.credentials} ({status} at {url}): it is wrong, or no "
                f"longer valid. {self.service.remedy}".rstrip()
            )
        if status == 429 or status >= 500:
            self._broken()
            if wait:
                for budget in self.budgets:
                    budget.limiter.pause(wait)
            raise _Again(f"status {status}")
        if status == 404:
            self._good()
            counts.not_found += 1
            return Answer(url, response.content, None)
        if status != 200:
            raise NoAnswer(f"{url} answered with the status {status}, where 200 was expected.")
        try:
            read = check(response.content)
        except DamagedBody as problem:
            self._broken()
            raise _DamagedAnswer(response.content, str(problem)) from None
        self._good()
        counts.pages += 1
        return Answer(url, response.content, read)

    def _good(self) -> None:
        for budget in self.budgets:
            budget.limiter.good()

    def _broken(self) -> None:
        for budget in self.budgets:
            budget.limiter.broken()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.aclose()


def _trusted(service: Service) -> ssl.SSLContext | bool:
    if service.ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(service.ca_bundle))
    except (OSError, ssl.SSLError) as problem:
        setting = f"{service.ca_bundle_setting}={service.ca_bundle}"
        raise Unreadable(f"{setting} cannot be read as certificates: {problem}.") from None


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
