"""``python -m infra.local.processes.single_instance PART COMMAND…``: one process of a part at a time.

Ends what is left of the part's last life, then becomes COMMAND.

The stream is a Python process with a JVM as its child. After `kill -9` of the Python process the JVM needs some
moments to notice, and could still commit while its successor starts: two writers on one Delta table lose data.
"""

from __future__ import annotations

import os
import sys

from conf import settings
from infra.local.processes.children import marked, stop


def main(part: str, command: list[str]) -> None:
    """Does not return: the process becomes `command`, so that the supervisor's signals reach it."""
    stop([process for process, name in marked(settings()) if name == part], patience=0)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
