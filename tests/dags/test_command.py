"""A command as a task of Airflow, executed by Airflow's own interpreter."""

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.airflow_scripts import by_airflow

CHECKED = {"state": "stopped", "checks": [
    {"table_name": "silver.t", "sentence": "9 rows are missing", "outcome": "stopped"},
    {"table_name": "silver.u", "sentence": "all is well", "outcome": "passed"},
]}  # fmt: skip
BUILT = {"state": "stopped", "tables": [
    {"table": "gold.t", "state": "stopped", "message": "Not published: it is wrong"},
    {"table": "gold.u", "state": "done", "message": ""},
]}  # fmt: skip
LATE = "print('sys:1: ResourceWarning: unclosed socket', file=sys.stderr)"
BODIES = {
    "good": "print('built'); print(json.dumps({'rows': 3}))",
    "silent": "",
    "mistaken": "print('There is no such day', file=sys.stderr); sys.exit(2)",
    "refused": "print(json.dumps({'error': 'The token is refused', 'registers': [2]})); sys.exit(2)",
    "checked": f"print({json.dumps(CHECKED)!r}); sys.exit(3)",
    "built": f"print({json.dumps(BUILT)!r}); sys.exit(3)",
    "gated_late": f"print({json.dumps(BUILT)!r}, flush=True); {LATE}; sys.exit(3)",
    "half": "print(json.dumps({'state': 'failed', 'registers': [1]})); sys.exit(1)",
    "broken_json": "print('{not JSON'); sys.exit(1)",
    "slow": (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "open('new', 'w').write(f'{os.getpid()} {child.pid}'); os.rename('new', 'pids'); child.wait()"
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    result = tmp_path_factory.mktemp("modules")
    for name, body in BODIES.items():
        (result / f"{name}.py").write_text(f"import json, os, subprocess, sys\n{body}\n")
    return result


@pytest.fixture(scope="module")
def became(folder: Path) -> Any:
    return by_airflow("airflow_command.py", folder)


def test_the_last_line_of_json_is_what_it_hands_on(became: Any) -> None:
    assert became["good"] == {"returned": {"rows": 3}, "pushed": {}, "error": None, "message": ""}
    assert became["silent"]["returned"] is None


def test_it_is_given_its_words_and_our_settings_but_not_those_of_airflow(folder: Path) -> None:
    (folder / "words").mkdir()
    script = "import json, os, sys\nprint(json.dumps({'words': sys.argv[1:], 'env': sorted(os.environ)}))\n"
    (folder / "words" / "words.py").write_text(script)
    reported = by_airflow("airflow_command.py", folder / "words")["words"]["returned"]

    assert reported["words"] == ["a", "--b"], "empty arguments are left out"
    assert "SAUDA_OF_OURS" in reported["env"]
    assert not [name for name in reported["env"] if name.startswith("AIRFLOW")]


def test_a_mistake_of_a_person_is_not_tried_again(became: Any) -> None:
    assert became["mistaken"]["error"] == "AirflowFailException"
    assert became["mistaken"]["message"] == "mistaken cannot be run as it stands: There is no such day"


def test_a_mistake_that_the_json_tells_is_told_in_words_and_what_else_it_knows_is_handed_on(became: Any) -> None:
    assert became["refused"]["error"] == "AirflowFailException"
    assert became["refused"]["message"] == "refused cannot be run as it stands: The token is refused"
    assert became["refused"]["pushed"]["return_value"]["registers"] == [2]


def test_what_a_gate_stopped_is_not_tried_again_and_says_what_the_gate_found(became: Any) -> None:
    assert became["checked"]["error"] == became["built"]["error"] == "AirflowFailException"
    assert became["checked"]["message"] == "A gate stopped checked: silver.t: 9 rows are missing"
    assert became["built"]["message"] == "A gate stopped built: gold.t: Not published: it is wrong"


def test_a_line_after_the_json_makes_no_other_failure_of_it(became: Any) -> None:
    assert became["gated_late"]["error"] == "AirflowFailException"


def test_what_else_fails_is_tried_again_and_hands_on_what_it_knows(became: Any) -> None:
    assert became["half"]["error"] == "AirflowException"
    assert became["half"]["pushed"] == {"return_value": {"state": "failed", "registers": [1]}}
    assert became["broken_json"]["message"] == "broken_json ended with code 1: {not JSON"
    assert became["broken_json"]["pushed"] == {}


def test_a_task_that_is_ended_ends_its_command_and_the_children_of_that(became: Any, folder: Path) -> None:
    assert became["slow"]["error"] == "AirflowException"
    assert became["slow"]["message"].startswith("slow ended with code -15")
    for pid in (folder / "pids").read_text().split():
        assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
