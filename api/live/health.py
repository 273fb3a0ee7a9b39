"""The health of each part of the stack, and the addresses of its pages."""

from __future__ import annotations

import asyncio
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx
import orjson

from api.http.readiness import Probe
from api.live.document import Link, Part
from conf import LOOPBACK, Settings, disk
from conf.addresses import addresses, page
from conf.airflow_health import AIRFLOW_HEALTH, HEALTHY, airflow_states

SECONDS = 2.0
SILENT = "does not answer"


def airflow_fault(body: Any) -> str:
    """What is wrong with Airflow by the body of its health check; empty when nothing is."""
    titles = {"airflow": "its database", "airflow_scheduler": "its scheduler", "airflow_dags": "its reader of DAGs"}
    bad = [f"{titles[part]} is {state}" for part, state in airflow_states(body).items() if state != HEALTHY]
    return f"says that {', '.join(bad)}" if bad else ""


@dataclass(frozen=True)
class MonitoredPart:
    """A part on the page. `health` is a path on `port` that answers 200; without it the API's own probe is used.

    `find_fault` finds what is wrong in the JSON of that answer. A part that is not `needed` may be left out of a stack.
    """

    name: str
    title: str
    health: str = ""
    port: str = ""
    needed: bool = True
    find_fault: Callable[[Any], str] | None = None


MONITORED_PARTS = (
    MonitoredPart("kafka", "Kafka"),
    MonitoredPart("stream", "Stream", "/progress", "metrics"),
    MonitoredPart("jobs", "Job at work", "/api/v1/version", "job_ui", needed=False),
    MonitoredPart("history", "Spark History", "/api/v1/version", "history", needed=False),
    MonitoredPart("minio", "MinIO", "/minio/health/ready", "minio"),
    MonitoredPart("clickhouse", "ClickHouse"),
    MonitoredPart("postgres", "PostgreSQL"),
    MonitoredPart("airflow", "Airflow", AIRFLOW_HEALTH, "airflow", needed=False, find_fault=airflow_fault),
)


class PartsHealth:
    """The health of each part that this stack knows."""

    def __init__(self, settings: Settings, probes: Mapping[str, Probe], client: httpx.AsyncClient) -> None:
        self.settings, self.probes, self.client = settings, probes, client
        self.shown = [shown for shown in MONITORED_PARTS if shown.health or shown.name in probes]
        self.links: dict[str, list[Link]] = {}
        ours = page(settings, "api")
        for address in addresses(settings):
            if address.link:
                # Our own pages are relative links, so they work through a tunnel too.
                link: Link = {"title": address.link, "url": address.url.removeprefix(ours)}
                self.links.setdefault(address.part, []).append(link)

    async def __call__(self) -> list[Part]:
        faults = await asyncio.gather(*(self._fault(shown) for shown in self.shown))
        silent = any(fault == SILENT and not shown.needed for shown, fault in zip(self.shown, faults, strict=True))
        started = await self._started() if silent else set()
        parts = [self._part("api", "API", "up", "")]
        if full := disk.shortage(self.settings):
            parts.append(self._part("disk", "Disk", "down", full))
        for shown, fault in zip(self.shown, faults, strict=True):
            is_out = fault is None or (fault == SILENT and not shown.needed and shown.name not in started)
            state = "off" if is_out else "down" if fault else "up"
            parts.append(self._part(shown.name, shown.title, state, "" if is_out else fault or ""))
        return parts

    async def _fault(self, shown: MonitoredPart) -> str | None:
        """What is wrong with the part, empty where nothing is; None for a part that this stack cannot have."""
        if shown.name == "airflow" and not self.settings.airflow_database:
            return None
        try:
            async with asyncio.timeout(SECONDS):
                if not shown.health:
                    await self.probes[shown.name]()
                    return ""
                answer = await self.client.get(f"{page(self.settings, shown.port)}{shown.health}")
        except Exception:
            # A probe talks to a part that may be in any state; whatever it raises means "no answer".
            return SILENT
        if answer.status_code != 200:
            return f"answers {answer.status_code}"
        try:
            return shown.find_fault(orjson.loads(answer.content)) if shown.find_fault else ""
        except orjson.JSONDecodeError:
            return "answers something that is not JSON"

    async def _started(self) -> set[str]:
        """The parts that were started and not stopped, by the supervisor; none where it does not answer.

        So a part that was left out (`--lite`) differs from one that died.
        """
        address = f"http://{LOOPBACK}:{self.settings.port('supervisor')}/RPC2"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self.client.post(
                    address, content=xmlrpc.client.dumps((), "supervisor.getAllProcessInfo"),
                    headers={"Content-Type": "text/xml"}, auth=("sauda", self.settings.secrets.supervisor),
                )  # fmt: skip
            processes = cast(Any, xmlrpc.client.loads(answer.raise_for_status().text)[0][0])
            return {entry["name"] for entry in processes if entry["statename"] != "STOPPED"}
        except Exception:
            # Another program on that port may answer anything.
            return set()

    def _part(self, name: str, title: str, state: str, sentence: str) -> Part:
        return {
            "name": name, "title": title, "state": state, "sentence": sentence, "links": self.links.get(name, []),
        }  # fmt: skip
