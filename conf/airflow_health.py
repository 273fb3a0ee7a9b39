"""What Airflow's health check means. It answers 200 though its scheduler is dead: the body has to be read."""

from __future__ import annotations

from typing import Any

HEALTHY = "healthy"
AIRFLOW_HEALTH = "/api/v2/monitor/health"
_COMPONENTS = {"airflow": "metadatabase", "airflow_scheduler": "scheduler", "airflow_dags": "dag_processor"}


def airflow_states(body: Any) -> dict[str, str]:
    """Part of ours → `healthy`, or what the body says of it in its place; `unknown` where it says nothing."""
    told = body if isinstance(body, dict) else {}
    found = {}
    for part, component in _COMPONENTS.items():
        said = told.get(component)
        found[part] = str((said.get("status") if isinstance(said, dict) else None) or "unknown")
    return found
