"""Child processes: found again by their mark, and ended with us."""

import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from conf import Settings
from infra.local.errors import Failed
from infra.local.processes import children

SLEEP = [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(600)"]


def test_a_process_of_the_stack_is_found_by_its_mark_and_stopped(stack_settings: Settings) -> None:
    env = children.environment(stack_settings, part="kafka")
    with subprocess.Popen(SLEEP, env=env, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        other = stack_settings.model_copy(update={"stack": "other"})
        assert [(actual.pid, part) for actual, part in children.marked(stack_settings)] == [(child.pid, "kafka")]
        assert children.marked(other) == []
        children.stop([psutil.Process(child.pid)])
    assert children.marked(stack_settings) == []


def test_the_environment_hands_on_the_settings(stack_settings: Settings) -> None:
    env = children.environment(stack_settings, Path("/java"), "job")
    assert env["SAUDA_STACK"] == "unit"
    assert env["SAUDA_PORT_OFFSET"] == "21000"
    assert env["JAVA_HOME"] == "/java"
    assert env[children.MARK] == f"{stack_settings.stack_home}:job"


def test_what_was_compiled_is_kept_in_a_folder_of_ours(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    env = children.environment(stack_settings)
    program = "import sys; print(sys.dont_write_bytecode); print(sys.pycache_prefix)"

    printed = children.run([sys.executable, "-c", program], "Asking", env=env)

    assert printed.splitlines() == ["False", str(stack_settings.home / "cache" / "pycache")]


def test_a_failing_command_is_told_with_its_last_lines(tmp_path: Path) -> None:
    code = "print('one'); print('two'); raise SystemExit(3)"
    lines: list[str] = []
    with pytest.raises(Failed) as failure:
        children.run([sys.executable, "-c", code], "Building", on_line=lines.append, log=tmp_path / "log")
    assert "Building" in str(failure.value)
    assert "code 3" in str(failure.value)
    assert "two" in str(failure.value)
    assert lines == ["one", "two"]
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_a_missing_program_is_a_sentence() -> None:
    with pytest.raises(Failed, match="does not start"):
        children.run(["/no/such/program"], "Building")


@pytest.mark.parametrize("slow", [False, True])
def test_children_are_ended_with_us(slow: bool) -> None:
    up = threading.Event()
    ended: list[BaseException] = []

    def printed(_: str) -> None:
        up.set()
        if slow:
            # The child is gone before its reader looks for its code: it must not pass for a success.
            gone.wait(timeout=20)

    def work() -> None:
        try:
            children.run(SLEEP, "Sleeping", on_line=printed)
        except Failed as error:
            ended.append(error)

    gone = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    assert up.wait(timeout=20)
    children.stop_children()
    gone.set()
    thread.join(timeout=20)
    assert len(ended) == 1
    assert "code -15" in str(ended[0])
