"""Run by Airflow's interpreter: reads the DAGs as its dag-processor does, and prints what it found as JSON."""

import json
import sys

from airflow.dag_processing.dagbag import DagBag

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
                        "told": [told.__name__ for told in task.on_failure_callback or ()],
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
