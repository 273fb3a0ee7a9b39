"""Run by Airflow's interpreter: reads the DAGs as its dag-processor does, and prints what it found as JSON."""

import json
import sys
from typing import Any

from airflow.dag_processing.dagbag import DagBag


class Instance:
    """A task that finds so many runs of whichever DAG it asks for."""

    def __init__(self, runs: int) -> None:
        self.runs: int = runs
        self.requests: list[dict[str, Any]] = []

    def get_dr_count(self, **requests: Any) -> int:
        self.requests.append(requests)
        return self.runs


def waits(task: Any) -> Any:
    """What a sensor asks for, whether it goes on with no run and with one, and whether it does after its time."""
    if not task.task_id.startswith("after_"):
        return None
    none, one = Instance(0), Instance(1)
    goes_on = [task.python_callable(ti=actual) for actual in (none, one)]
    return {"asked": none.requests, "goes_on": goes_on, "skips": task.soft_fail, "mode": task.mode, "for": task.timeout}


bag = DagBag(sys.argv[1])
json.dump(
    {
        "errors": bag.import_errors,
        "loaded": sorted({name.partition(".")[0] for name in sys.modules}),
        "dags": {
            dag.dag_id: {
                "catchup": dag.catchup,
                "active_runs": dag.max_active_runs,
                "run_types": sorted(kind.value for kind in dag.allowed_run_types or ()),
                "tasks": {
                    task.task_id: {
                        "module": getattr(task, "module", ""),
                        "arguments": list(getattr(task, "arguments", [])),
                        "after": sorted(task.upstream_task_ids),
                        "rule": str(task.trigger_rule.value),
                        "pool": task.pool,
                        "waits": waits(task),
                        "told": [callback.__name__ for callback in task.on_failure_callback or ()],
                        "retries": task.retries,
                        "backs_off": bool(task.retry_exponential_backoff),
                        "hours": task.execution_timeout.total_seconds() / 3600 if task.execution_timeout else None,
                    }
                    for task in dag.tasks
                },
            }
            for dag in bag.dags.values()
        },
    },
    sys.stdout,
)
