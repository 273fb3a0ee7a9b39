"""A checkout in a folder of its own that belongs to a user without rights, with the tools of this one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from conf import REPOSITORY, Settings

USER = "nobody"
LINKED = ("airflow", "bin", "postgres", "uv", "venv")
"""Tools that are only read; what a start writes beside them (locks, Java's archive) is the checkout's own."""


class Checkout:
    """The folder, and its ./start.sh as that user runs it. Only root can make one."""

    def __init__(self, settings: Settings, folder: Path, port_offset: int) -> None:
        self.folder, self.settings = folder, settings
        self.user = pwd.getpwnam(USER)
        _copy(folder)
        _link_tools(settings.tools, folder / ".sauda" / "tools")
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files, "."):
                os.chown(Path(parent, name), self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)
        home = folder.parent / "home"
        home.mkdir()
        os.chown(home, self.user.pw_uid, self.user.pw_gid)
        # Nothing of our own environment: neither settings nor what a developer has set.
        self.environment = {
            "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "USER": USER,
            "SAUDA_PORT_OFFSET": str(port_offset), "SAUDA_STREAM_MEMORY": "1g", "SAUDA_JOB_MEMORY": "1g",
        }  # fmt: skip

    def start(self, *words: str, seconds: float, log: Path, nice: int = 0) -> subprocess.CompletedProcess[str]:
        """./start.sh with these words; what it prints is kept in `log`."""
        command = [*self._as_user(), "nice", "-n", str(nice), "./start.sh", *words]
        with log.open("w") as out:
            done = subprocess.run(
                command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                check=False, timeout=seconds,
            )  # fmt: skip
        return subprocess.CompletedProcess(command, done.returncode, log.read_text())

    def _as_user(self) -> list[str]:
        words = ["setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"]
        python = self.folder / ".sauda" / "tools" / "venv" / "bin" / "python"
        if not _runs([*words, str(python), "-c", ""]):
            # The interpreter lies in root's own folder. This right is to read, not to write or to be more important.
            words += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        return words


def _copy(folder: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, target)


def _link_tools(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for name in LINKED:
        if (source / name).exists():
            (target / name).symlink_to(source / name)
    shutil.copy(source / "java-home", target / "java-home")
    for folder in (source / "jars").iterdir():
        (target / "jars" / folder.name).mkdir(parents=True)
        for file in folder.iterdir():
            if ".jsa" not in file.name:
                (target / "jars" / folder.name / file.name).symlink_to(file)


def _runs(command: Sequence[str]) -> bool:
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0
