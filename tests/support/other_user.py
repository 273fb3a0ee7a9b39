"""A checkout in a folder of its own that belongs to a user without rights, with the tools of this one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
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
        tools = folder / ".sauda" / "tools"
        _link_tools(settings.tools, tools)
        if not self._runs_python():
            _own_python(settings.tools / "venv", tools / "venv", folder.parent / "python")
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files, "."):
                os.chown(Path(parent, name), self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)
        home = folder.parent / "home"
        home.mkdir()
        os.chown(home, self.user.pw_uid, self.user.pw_gid)
        # Nothing of our own environment: neither settings nor what a developer has set.
        self.environment = {
            "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "USER": USER,
            "LD_LIBRARY_PATH": str(folder.parent / "python" / "lib"),
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
        return ["setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"]

    def _runs_python(self) -> bool:
        python = self.folder / ".sauda" / "tools" / "venv" / "bin" / "python"
        # By way of a shell: setpriv itself still has root's rights when it starts a program.
        command = [*self._as_user(), "/bin/bash", "-c", '"$0" -c ""', str(python)]
        return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0


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


def _own_python(source: Path, venv: Path, base: Path) -> None:
    """An environment with the packages of `source` and a copy of its interpreter, which lies in root's own folder."""
    root = (source / "bin" / "python").resolve().parent.parent
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ignored = shutil.ignore_patterns("site-packages", "test", "idlelib", "tkinter", "ensurepip", "__pycache__")
    shutil.copytree(root / "lib" / version, base / "lib" / version, ignore=ignored)
    for library in (root / "lib").glob("libpython*"):
        shutil.copy(library, base / "lib" / library.name)
    (base / "bin").mkdir()
    shutil.copy(root / "bin" / version, base / "bin" / version)
    # What a process of ours makes is its own; this is to be read by the other user.
    for result in (base, base / "lib", base / "bin"):
        result.chmod(0o755)
    venv.unlink()
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(base / "bin" / version)
    (venv / "lib").symlink_to(source / "lib")
    (venv / "pyvenv.cfg").write_text(f"home = {base / 'bin'}\ninclude-system-site-packages = false\n")
    shutil.copy(source / ".sauda-stamp", venv / ".sauda-stamp")
