"""supervisord: its configuration, its life, and what we ask of it over its loopback RPC."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import psutil

from conf import LOOPBACK, Settings
from conf.settings import PRIVATE
from infra.local.config_files import write_private
from infra.local.errors import Failed, Refused
from infra.local.parts import Process
from infra.local.processes import children

STOPPED_FOR_DISK = "stopped-for-disk.json"
"""In it the guard notes the parts that are to run again when there is space."""
UNKNOWN_NAME, NOT_RUNNING, ALREADY_STARTED, SPAWN_ERROR, ABNORMAL = 10, 70, 60, 50, 40


class Supervisor:
    """The supervisor of one stack. Methods that ask it raise OSError or xmlrpc.client.Error when it is not there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.file = settings.run / "supervisord.conf"

    def _ask(self, method: str, *words: object) -> Any:
        address = f"{LOOPBACK}:{self.settings.port('supervisor')}"
        password = self.settings.secrets.supervisor
        with xmlrpc.client.ServerProxy(f"http://sauda:{password}@{address}/RPC2") as server:
            return getattr(server.supervisor, method)(*words)

    def process(self) -> psutil.Process | None:
        """The living supervisord of this stack, found by its mark and not by its pid alone, which may be reused."""
        return next((process for process, part in children.marked(self.settings) if part == "supervisor"), None)

    def answers(self) -> bool:
        """Whether it runs and lets us in."""
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            return bool(self._ask("getState")["statename"] == "RUNNING")
        return False

    def ensure(self, parts: Iterable[Process], java_home: Path) -> None:
        """A running supervisord that knows `parts` as they are configured now, and no orphan of an earlier one.

        A part whose configuration changed is stopped and comes back with the new one when it is next started.
        """
        changed = write_private(self.file, render(self.settings, parts))
        if self.answers():
            if changed:
                self._reload()
        else:
            self._end_root()
            self.end_orphans()
            self._launch(java_home)
        self.end_orphans()

    def _reload(self) -> None:
        added, changed, removed = self._ask("reloadConfig")[0]
        for name in [*changed, *removed]:
            self._ask("stopProcessGroup", name)
            self._ask("removeProcessGroup", name)
        for name in [*added, *changed]:
            self._ask("addProcessGroup", name)

    def revive(self, names: Iterable[str] = (), java_home: Path | None = None) -> list[str]:
        """Start anew after the supervisor was killed: its parts, which live on with nobody to bring them back, end
        and start again under another. Also those in `names`. Returns what was started.

        To be called by whoever holds the stack's lock.
        """
        if self.answers():
            return []
        known = self.part_names()
        wanted = {part for _, part in children.marked(self.settings)} | set(names)
        self._end_root()
        self.end_orphans()
        self._launch(java_home)
        started = [name for name in known if name in wanted and name != "guard"]
        for name in started:
            self.start(name)
        return started

    def _launch(self, java_home: Path | None) -> None:
        self.settings.logs.mkdir(parents=True, exist_ok=True)
        out = self.settings.logs / "supervisord.out"
        with out.open("w") as sink:
            # A session of its own: Ctrl-C in our terminal must not reach the parts.
            child = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self.file)],
                env=children.environment(self.settings, java_home, "supervisor"),
                cwd=self.settings.run,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while not self.answers():
            if child.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"The supervisor does not start:\n{out.read_text().strip()[-1500:]}")
            time.sleep(0.05)
        # It is to outlive us: nobody waits for it.
        child.returncode = 0

    def end_orphans(self) -> None:
        """Stop supervised parts that another supervisor left behind (kill -9 of it, for one)."""
        root = self.process()
        family = {root.pid, *(child.pid for child in root.children(recursive=True))} if root else set()
        names = self.part_names()
        orphans = [
            process for process, part in children.marked(self.settings) if part in names and process.pid not in family
        ]
        children.stop(orphans, patience=10)

    def unsupervised(self) -> dict[str, psutil.Process]:
        """Parts that live while no supervisor does, each with the process that the others of it descend from."""
        if self.process() is not None:
            return {}
        names, by_name = self.part_names(), dict[str, psutil.Process]()
        for process, part in children.marked(self.settings):
            if part in names and part not in by_name:
                by_name[part] = process
        return by_name

    def part_names(self) -> list[str]:
        """The parts in its configuration file."""
        if not self.file.exists():
            return []
        prefix = "[program:"
        return [line[len(prefix) : -1] for line in self.file.read_text().splitlines() if line.startswith(prefix)]

    def start(self, name: str) -> None:
        """Start a part unless it runs or is on its way; it need not answer yet when this returns."""
        try:
            self._ask("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != ALREADY_STARTED:
                raise Failed(f"{name} does not start: {fault.faultString}. See: ./start.sh logs {name}") from None

    def stop(self, name: str) -> None:
        """Stop a part and wait until it is gone."""
        try:
            self._ask("stopProcess", name, True)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != NOT_RUNNING:
                raise Failed(f"{name} does not stop: {fault.faultString}") from None

    def stop_soon(self, name: str) -> None:
        """Begin to stop a part, and wait for nothing. Without effect where it does not run."""
        with contextlib.suppress(xmlrpc.client.Fault):
            self._ask("stopProcess", name, False)

    def info(self) -> dict[str, dict[str, Any]]:
        """State, pid, start and so on of each part; empty when the supervisor is not there."""
        try:
            answer = cast(list[dict[str, Any]], self._ask("getAllProcessInfo"))
        except (OSError, xmlrpc.client.Error):
            return {}
        return {entry["name"]: entry for entry in answer}

    def restarts(self) -> dict[str, int]:
        """How often each part has ended by itself since the supervisor is up, from the supervisor's log."""
        log = self.settings.logs / "supervisord.log"
        counts: dict[str, int] = {}
        for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
            if "supervisord started with pid" in line:
                counts.clear()
            elif match := re.search(r" exited: (\w+) \(", line):
                counts[match[1]] = counts.get(match[1], 0) + 1
        return counts

    def end(self) -> bool:
        """Stop everything of the stack: the supervisor with its parts, orphans, jobs. True when something ran."""
        everything = children.marked(self.settings)
        if self.process() is None:
            # A guard whose supervisor is gone might start another meanwhile.
            children.stop([process for process, part in everything if part == "guard"], patience=2)
        (self.settings.run / STOPPED_FOR_DISK).unlink(missing_ok=True)
        self._end_root()
        children.stop([process for process, _ in children.marked(self.settings)], patience=5)
        return bool(everything)

    def _end_root(self) -> None:
        root = self.process()
        if root:
            # It signals its parts all at once and leaves when the last is gone.
            children.stop([root], patience=45)


def render(settings: Settings, parts: Iterable[Process]) -> str:
    """supervisord.conf. It holds passwords (mode 600); command lines hold none."""
    lines = [
        "[supervisord]",
        f"pidfile={_plain(settings.run / 'supervisord.pid')}",
        f"logfile={_plain(settings.logs / 'supervisord.log')}",
        "logfile_maxbytes=5MB",
        "logfile_backups=2",
        f"directory={_plain(settings.run)}",
        # Its default would let everybody read.
        f"umask={PRIVATE:03o}",
        # It warns when root runs it without having said so.
        # By its number: the environment may name somebody else (sudo -E, su).
        *([f"user={pwd.getpwuid(0).pw_name}"] if os.geteuid() == 0 else []),
        "",
        "[inet_http_server]",
        f"port={LOOPBACK}:{settings.port('supervisor')}",
        "username=sauda",
        f"password={_plain(settings.secrets.supervisor)}",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for part in parts:
        env = part.env | {children.MARK: children.mark(settings, part.name)}
        lines += [
            "",
            f"[program:{part.name}]",
            f"command={' '.join(_word(word) for word in part.command)}",
            f"environment={','.join(f'{key}={_literal(key, value)}' for key, value in env.items())}",
            f"umask={PRIVATE:03o}",
            f"autostart={str(part.starts_itself).lower()}",
            # The one with the greatest is stopped first: a guard that outlived its supervisor would bring it back.
            *(["priority=1000"] if part.starts_itself else []),
            "autorestart=true",
            "startsecs=2",
            "startretries=8",
            f"stopwaitsecs={part.stop_seconds}",
            f"stopsignal={part.stop_signal}",
            "stopasgroup=true",
            "killasgroup=true",
            "redirect_stderr=true",
            # This one it expands twice.
            f"stdout_logfile={_plain(_plain(settings.logs / (part.name + '.log')))}",
            "stdout_logfile_maxbytes=20MB",
            "stdout_logfile_backups=3",
        ]
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    """supervisord expands %(…)s everywhere."""
    return str(value).replace("%", "%%")


def _word(word: str) -> str:
    """A word of a command line, which supervisord splits as a shell does."""
    return shlex.quote(_plain(word))


def _literal(name: str, value: str) -> str:
    """A value of ``environment=``, where supervisord knows quotes but no escapes, and drops quotes at the ends.

    Its file has comments that begin with a blank and ; or #.
    """
    quote = "'" if '"' in value else '"'
    if quote in value or value.strip("'\"") != value or re.search(r"\n|\s[;#]", value):
        raise Refused(f"The supervisor cannot hand on the value of {name}: it has quotes, line ends or ' #' in it.")
    return f"{quote}{_plain(value)}{quote}"
