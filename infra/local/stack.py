"""Bringing a stack up, part by part, and taking it down."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from conf import Settings, disk
from infra.local import config_files
from infra.local.errors import Failed, Refused
from infra.local.parts import Machine, all_ports, core, declared, here, processes, title, trouble
from infra.local.processes import children, permissions, ports
from infra.local.processes.activity import Work, demanded_seconds
from infra.local.processes.command_lock import held
from infra.local.processes.supervisor import Supervisor
from infra.local.servers import airflow, minio, postgres
from infra.local.steps import Say, Step
from infra.local.tools import archive, jars, java

MOST = 5
"""A part that is at work on its way to an answer may take so many times its patience: machines differ, and are busy."""
NEED_SECONDS = 60.0
"""So long a command waits for parts that run and do not answer: they may have been started a moment ago."""
NEED_PAUSE = 0.5
UNDER_WAY = ("STARTING", "RUNNING")
"""What the supervisor calls a part that may answer soon."""


@dataclass
class Tools:
    """Where the tools are; filled in by the steps that find or make them."""

    java_home: Path = field(default_factory=Path)
    maven: Path = field(default_factory=Path)


class Stack:
    """One stack on this machine. Its steps are put together by the commands."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tools = Tools()
        self.supervisor = Supervisor(settings)

    @property
    def machine(self) -> Machine:
        return Machine(self.settings, self.tools.java_home, minio.path(self.settings))

    def check_ports(self) -> None:
        """`Refused` when a port of the stack is in foreign hands. To be called before anything is started."""
        ours = {process.pid for process, _ in children.marked(self.settings)}
        ports.check(self.settings, all_ports(self.settings), ours)

    def need(self, *names: str) -> None:
        """`Failed` with a sentence for each part that does not answer, at once where one of them does not run."""
        self._revive()
        deadline, shown = time.monotonic() + NEED_SECONDS, ""
        while silent := {name: fault for name in names if (fault := trouble(self.settings, name))}:
            sentences = [f"{title(self.settings, name)}: {fault}." for name, fault in silent.items()]
            info = self.supervisor.info()
            if time.monotonic() > deadline or any(info.get(n, {}).get("statename") not in UNDER_WAY for n in silent):
                remedy = disk.shortage(self.settings) or (
                    "Start it: ./start.sh   (what runs: ./start.sh status; a part's log: ./start.sh logs NAME)"
                )
                raise Failed("\n".join([*sentences, remedy]))
            if shown != (shown := " ".join(sentences)):
                print(f"Waiting up to {NEED_SECONDS:.0f} s. {shown}", file=sys.stderr)
            time.sleep(NEED_PAUSE)

    def _revive(self) -> None:
        """Bring back a supervisor that was killed together with its guard, and the parts that live without it."""
        if self.supervisor.answers() or not self.supervisor.unsupervised():
            return
        try:
            with self.alone():
                parts = self.supervisor.revive(java_home=java.remembered(self.settings))
        except Refused:
            # Another command is at it.
            return
        print(f"The supervisor was gone; it runs again, with {', '.join(parts)}.", file=sys.stderr)

    def tool_steps(self) -> list[Step]:
        """Java, jars and MinIO: found, or made once."""
        tools, settings = self.tools, self.settings

        def find_java(say: Say) -> str:
            tools.java_home = java.ensure(settings, say)
            return str(tools.java_home)

        def find_maven(say: Say) -> None:
            if not all(jars.is_current(settings, name) for name in jars.POMS):
                tools.maven = jars.ensure_maven(settings, say)

        def find_minio(say: Say) -> str:
            return str(minio.ensure(settings, say))

        def fetch(name: str) -> Step:
            def action(say: Say) -> str:
                return jars.ensure(settings, name, tools.maven, tools.java_home, say)

            return Step(f"Jars of {name.capitalize()}", action, after=("Java", "Maven"), quiet=True)

        return [
            Step("Java", find_java, quiet=True),
            Step("Maven", find_maven, quiet=True),
            fetch("spark"),
            fetch("kafka"),
            Step(minio.STEP, find_minio, quiet=True),
            fetch("postgres"),
            Step("PostgreSQL's binaries", partial(postgres.ensure, settings), after=("Jars of Postgres",), quiet=True),
        ]

    def archive_step(self) -> Step:
        """Java's archive of Spark's classes. Nothing waits for it: it only makes later starts of Spark faster."""

        def action(say: Say) -> str:
            return archive.ensure(self.settings, self.tools.java_home, say)

        return Step("Java's archive of Spark's classes", action, after=("Jars of Spark",), quiet=True)

    def supervisor_step(self) -> Step:
        """The supervisor, with every part configured and none started.

        It does not wait for MinIO's binary, which takes minutes to build: only the part itself does.
        """

        def action(_: Say) -> None:
            permissions.close(self.settings)
            for folder in (self.settings.data / "minio", self.settings.data / "spark-events", self.settings.logs):
                folder.mkdir(parents=True, exist_ok=True)
            config_files.write_clickhouse(self.settings)
            config_files.write_kafka(self.settings)
            self.supervisor.ensure(processes(self.machine).values(), self.tools.java_home)

        return Step("Supervisor", action, after=("Java",))

    def part_steps(self, names: Iterable[str], after: Sequence[str] = ()) -> list[Step]:
        """Start each part, after the steps named, and wait until it answers."""

        def begin(name: str) -> Step:
            part = declared(self.settings)[name]

            def action(say: Say) -> str:
                remark = part.prepare(self.machine)
                self.supervisor.start(name)
                self.wait_for(name, say)
                return remark

            return Step(part.title, action, after=("Supervisor", *part.after, *after))

        return [begin(name) for name in names]

    def database_steps(self) -> list[Step]:
        """PostgreSQL with its databases, unless it runs elsewhere, and the shop's tables in it."""

        def migrate(_: Say) -> str:
            # Half a second of imports, which no other command needs.
            from sqlalchemy.exc import OperationalError

            from infra.postgres.upgrade import UnknownMigration, upgrade

            try:
                return upgrade(self.settings)
            except UnknownMigration as problem:
                raise Failed(str(problem)) from None
            except OperationalError:
                raise Failed("PostgreSQL does not let us in; see SAUDA_POSTGRES_URL.") from None

        if "postgres" not in here(self.settings):
            return [Step("Shop's tables", migrate, quiet=True)]
        databases = Step(
            "Databases", lambda _: postgres.create_databases(self.settings), after=("PostgreSQL",), quiet=True
        )
        tables = Step("Shop's tables", migrate, after=("Databases",), quiet=True)
        return [*self.part_steps(["postgres"]), databases, tables]

    def airflow_steps(self, *, started: bool = False) -> list[Step]:
        """Airflow's environment and database, after those of `database_steps`, and its processes if they are asked for.

        Nothing where it has no database.
        """
        names = [name for name in airflow.PARTS if name in here(self.settings)]
        if not names:
            return []
        databases = ["Databases"] if "postgres" in here(self.settings) else []
        ours = ["Airflow's environment", *databases]

        def migrate(_: Say) -> str:
            return airflow.migrate(self.settings, self.tools.java_home)

        return [
            Step(ours[0], partial(airflow.ensure, self.settings), quiet=True),
            Step("Airflow's database", migrate, after=("Java", *ours), quiet=True),
            *self.part_steps(names if started else [], after=("Airflow's database",)),
        ]

    def up_steps(self, names: Sequence[str] = ()) -> list[Step]:
        """Everything from an empty machine to parts that answer: those that hold data, or those named."""
        return [*self.tool_steps(), self.supervisor_step(), *self.part_steps(names or core(self.settings))]

    def wait_for(self, name: str, say: Say) -> None:
        """Until the part answers; `Failed` with the end of its log when it gives up, or does nothing for too long."""
        began, pause = time.monotonic(), 0.05
        log = self.settings.logs / f"{name}.log"

        def measure() -> tuple[float, int]:
            pid = self.supervisor.info().get(name, {}).get("pid")
            return demanded_seconds(pid), log.stat().st_size if log.exists() else 0

        patience = declared(self.settings)[name].patience_seconds
        work = Work(measure, began)
        ended_before = self.supervisor.restarts().get(name, 0)
        while (fault := trouble(self.settings, name)) is not None:
            state = self.supervisor.info().get(name, {}).get("statename", "gone")
            if self.supervisor.restarts().get(name, 0) - ended_before >= 2:
                # What it dies of will not pass by itself, and trying on for ever would only warm the machine.
                self.supervisor.stop(name)
                raise self._lost(name, "it ends each time it is started")
            now = time.monotonic()
            taken, idle = now - began, work.idle_seconds(now)
            if state in ("FATAL", "gone") or idle > patience or taken > MOST * patience:
                why = f"{fault}, and the supervisor calls it {state.lower()}"
                raise self._lost(name, f"{why}; {taken:,.0f} s, the last {idle:,.0f} of them without any work")
            say(fault if taken <= patience else f"{fault}; slow, but at work")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    def _lost(self, name: str, why: str) -> Failed:
        return Failed(f"{title(self.settings, name)} does not come up: {why}.\n{self.log_tail(name)}")

    def log_tail(self, name: str, lines: int = 12) -> str:
        """The last lines of a part's log, and where the rest is."""
        log = self.settings.logs / f"{name}.log"
        tail = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
        return "\n".join(["  " + line[:300] for line in tail] + [f"The log: {log}"])

    def down(self) -> bool:
        """Stop everything of the stack; safe when nothing runs. True when something did."""
        return self.supervisor.end()

    def reset(self) -> None:
        """Stop everything and remove the stack's data, logs and secrets."""
        self.down()
        for folder in (self.settings.data, self.settings.logs):
            shutil.rmtree(folder, ignore_errors=True)
        for path in self.settings.run.glob("*"):
            if path.name != "lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (self.settings.stack_home / "secrets.json").unlink(missing_ok=True)

    @property
    def lock_file(self) -> Path:
        return self.settings.run / "lock"

    def alone(self) -> AbstractContextManager[None]:
        """The right to change the stack, for a `with` block."""
        return held(self.lock_file, f"the stack `{self.settings.stack}`")
