"""``python -m infra.local.processes.disk_guard``: watches the disk and the supervisor, as a part of the stack.

On a disk that is nearly full it frees the reserve and has the supervisor stop what would come to harm, Kafka first: its
broker does not survive writes that end in the middle. When there is space again it makes the reserve anew and starts
what it stopped, and what died meanwhile.

The supervisor brings the guard back when it dies; the guard brings the supervisor back, with the parts that ran. So
`kill -9` of either changes nothing for long.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path

from conf import Settings, disk, settings
from infra.local.errors import Failed
from infra.local.processes.command_lock import held
from infra.local.processes.supervisor import STOPPED_FOR_DISK, Supervisor

NAME = "guard"
LOOK_SECONDS = 0.25
"""At 2 GB a second half a gigabyte is written between two looks, the least that is left when Kafka is stopped."""
SUPERVISOR_SECONDS = 2.0
HARMED = ("kafka", "stream")
"""Parts that a full disk does harm to: Kafka's log, and the checkpoints of the streams."""
ENDED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
log = logging.getLogger("sauda.guard")


class Reserve:
    """A file whose blocks are allocated, to be freed when there are no others."""

    def __init__(self, file: Path, size: int) -> None:
        self.file, self.size = file, size

    @property
    def is_whole(self) -> bool:
        return disk.allocated(self.file) >= self.size

    def make(self) -> bool:
        """Allocate it. False where the disk has not so much."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                # Blocks, and not a hole that would be filled when it is too late.
                os.posix_fallocate(descriptor, 0, self.size)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.warning("the reserve of %d MB cannot be made: %s", self.size // disk.MIB, error.strerror)
            self.release()
            return False
        return True

    def release(self) -> None:
        with contextlib.suppress(OSError):
            self.file.unlink(missing_ok=True)


class DiskGuard:
    """Acts on what is left of the disks. `look` is called again and again."""

    def __init__(self, chosen: Settings, supervisor: Supervisor) -> None:
        self.chosen, self.supervisor = chosen, supervisor
        self.reserve = Reserve(disk.reserve_file(chosen), chosen.disk_reserve_mb * disk.MIB)
        self.notes = Notes(chosen.run / STOPPED_FOR_DISK)

    def look(self, running: Callable[[], list[str]]) -> None:
        """`running` says which parts are to run now."""
        volume = disk.worst(self.chosen)
        if volume is None:
            return
        stopped = self.notes.read()
        if volume.level == "critical":
            # Before all else: each further moment, somebody may need the space to end well.
            self.reserve.release()
            self._stop(volume, stopped, running)
        elif volume.share >= disk.AGAIN_SHARE:
            if self.reserve.size and not self.reserve.is_whole and not self.reserve.make():
                return
            if stopped is not None:
                self._start(stopped)

    def _stop(self, volume: disk.Volume, stopped: list[str] | None, running: Callable[[], list[str]]) -> None:
        wanted = running()
        if stopped is None:
            log.error("%s Kafka and the streams are stopped until there is space.", volume.sentence)
        if any(name not in (stopped or []) for name in wanted) or stopped is None:
            self.notes.write(sorted({*(stopped or []), *wanted}))
        for name in HARMED:
            if name in wanted:
                self.supervisor.stop_soon(name)

    def _start(self, stopped: list[str]) -> None:
        states = {name: str(entry["statename"]) for name, entry in self.supervisor.info().items()}
        if any(states.get(name) == "STOPPING" for name in stopped):
            return
        log.warning("There is space again; what is to run: %s.", ", ".join(stopped))
        for name in sorted(stopped, key=lambda name: name not in HARMED):
            if states.get(name) in ENDED:
                with contextlib.suppress(Failed):
                    self.supervisor.start(name)
        self.notes.clear()


class Notes:
    """Which parts are to run again when there is space, on the disk as far as it has any."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._kept: list[str] | None = None
        with contextlib.suppress(OSError, ValueError):
            self._kept = list(json.loads(file.read_text()))

    def read(self) -> list[str] | None:
        """None where nothing was stopped."""
        return self._kept

    def write(self, names: list[str]) -> None:
        self._kept = names
        with contextlib.suppress(OSError):
            fresh = self.file.with_suffix(".new")
            fresh.write_text(json.dumps(names))
            fresh.replace(self.file)

    def clear(self) -> None:
        self._kept = None
        with contextlib.suppress(OSError):
            self.file.unlink(missing_ok=True)


class Guard:
    """The process: looks at the disk all the time, and at the supervisor now and then."""

    def __init__(self, chosen: Settings) -> None:
        self.chosen, self.supervisor = chosen, Supervisor(chosen)
        self.disk = DiskGuard(chosen, self.supervisor)
        self.parent = os.getppid()
        self.wanted: list[str] = []
        self._asked_at = 0.0

    def running(self) -> list[str]:
        """The parts that are to run, but for the guard itself."""
        states = {name: str(entry["statename"]) for name, entry in self.supervisor.info().items()}
        return sorted(name for name, state in states.items() if state not in ("STOPPED", "STOPPING") and name != NAME)

    def look(self) -> bool:
        """One look at everything. False when another guard has taken over."""
        if os.getppid() != self.parent:
            return not self.revive()
        self.disk.look(self.running)
        if time.monotonic() - self._asked_at >= SUPERVISOR_SECONDS:
            self._asked_at = time.monotonic()
            self.wanted = self.running() or self.wanted
        return True

    def revive(self) -> bool:
        """Bring back a supervisor that died, with its parts. False where somebody else works on the stack."""
        try:
            with held(self.chosen.run / "lock", "the stack"):
                log.error("the supervisor is gone: it is started again with %s", ", ".join(self.wanted) or "no part")
                self.supervisor.revive(self.wanted)
        except Failed as error:
            log.error("%s", error)
            return False
        return True


def main() -> None:
    """Watch until a signal ends it, or until its supervisor died and the next one has a guard of its own."""
    # What is written when the supervisor is gone goes nowhere, and must not end the guard.
    logging.raiseExceptions = False
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    guard = Guard(settings())
    while True:
        try:
            if not guard.look():
                return
        except (OSError, xmlrpc.client.Error) as error:
            log.warning("%s", error)
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
