"""Free space of the volumes on which a stack writes: when it takes nothing new, and the sentence that says so.

Every process that takes events checks the volumes itself, which takes some microseconds. So no message has to be sent,
which a full disk could prevent, and no watcher has to be alive.

A volume has a *reserve*, a file whose blocks are allocated. It is freed when the volume is nearly full, so that running
processes can end cleanly. Space is always counted as if the reserve were there, or freeing it would look like space.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from conf.settings import Settings

MIB = 2**20
RESERVE = "disk-reserve"
CRITICAL_SHARE = 0.5
"""Of `disk_low_mb`: below it Kafka is stopped."""
AGAIN_SHARE = 1.2
"""Of `disk_low_mb`: above it all goes on. Between the two everything stays as it is."""
FEWEST_FILES = 2_000
"""A volume may have space but no inode for another file."""
Level = Literal["fine", "low", "critical"]


@dataclass(frozen=True)
class Volume:
    """One volume, known by a folder on it. `left` are the bytes beside the reserve, -1 and less where it is used."""

    folder: Path
    left: int
    low: int
    files_left: int | None = None

    @cached_property
    def share(self) -> float:
        """The space left as a share of what is required: 1 and more is enough."""
        by_space = self.left / self.low
        return by_space if self.files_left is None else min(by_space, self.files_left / FEWEST_FILES)

    @property
    def level(self) -> Level:
        return "fine" if self.share >= 1 else "low" if self.share >= CRITICAL_SHARE else "critical"

    @property
    def sentence(self) -> str:
        """What is wrong with it; empty where nothing is."""
        if self.level == "fine":
            return ""
        if self.left >= self.low:
            state = f"has room for {self.files_left:,} more files, fewer than {FEWEST_FILES:,}"
        else:
            state = (
                f"has {max(0, self.left) // MIB:,} MB free beside Sauda's reserve, less than {self.low // MIB:,} "
                "(SAUDA_DISK_LOW_MB)"
            )
        return f"The disk of {self.folder} {state}."


def reserve_file(settings: Settings) -> Path:
    """Where the reserve lies: on the volume of the stack's data."""
    return settings.data / RESERVE


def allocated(file: Path) -> int:
    """The bytes that a file takes on disk; 0 where there is none."""
    try:
        return file.stat().st_blocks * 512
    except OSError:
        return 0


def _folders(settings: Settings) -> list[Path]:
    """The folders into which the stack writes. Data of a part may be linked from or mounted on another volume."""
    inside = sorted(settings.data.iterdir()) if settings.data.is_dir() else []
    folders = [settings.data, *(folder for folder in inside if folder.is_dir()), settings.logs, settings.run]
    if "://" not in settings.checkpoints:
        folders.append(Path(settings.checkpoints))
    return folders


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))


def volumes(settings: Settings) -> list[Volume]:
    """The volumes on which this stack writes, each once; none where no space has to be kept free.

    Volumes that cannot be read are left out.
    """
    if not settings.disk_low_mb:
        return []
    reserve, low = reserve_file(settings), settings.disk_low_mb * MIB
    home = _device(_existing(settings.data))
    by_device: dict[int, Volume] = {}
    for folder in map(_existing, _folders(settings)):
        device = _device(folder)
        if device is None or device in by_device:
            continue
        try:
            info = os.statvfs(folder)
        except OSError:
            continue
        left = info.f_bavail * info.f_frsize
        if device == home:
            left += allocated(reserve) - settings.disk_reserve_mb * MIB
        # File systems that create inodes as needed report 0 of both.
        files = info.f_favail if info.f_files else None
        by_device[device] = Volume(folder, left, low, files)
    return list(by_device.values())


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None


def worst(settings: Settings) -> Volume | None:
    """The volume with the smallest share left; None where there is none."""
    return min(volumes(settings), key=lambda volume: volume.share, default=None)


def shortage(settings: Settings) -> str:
    """Why nothing new may be taken now, as a sentence; empty while all is well.

    A broker that runs elsewhere watches its own disk.
    """
    if settings.kafka_bootstrap:
        return ""
    volume = worst(settings)
    if volume is None or volume.level == "fine":
        return ""
    return f"{volume.sentence} Nothing new is taken until there is space; what was acknowledged is safe."
