"""What Airflow's health check means. It answers 200 though its scheduler is dead: the body has to be read."""

from __future__ import annotations

from typing import Any

HEALTHY = "healthy"
AIRFLOW_HEALTH = "/api/v2/monitor/health"
_COMPONENTS = {"airflow": "metadatabase", "airflow_scheduler": "scheduler", "airflow_dags": "dag_processor"}


def airflow_states(body: Any) -> dict[str, str]:
    """By part `healthy` or another state of Airflow's; `unknown` where the body has none."""
    document = body if isinstance(body, dict) else {}
    states = {}
    for part, component in _COMPONENTS.items():
        component_state = document.get(component)
        status = component_state.get("status") if isinstance(component_state, dict) else None
        states[part] = str(status or "unknown")
    return states
