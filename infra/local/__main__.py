"""``python -m infra.local``: the commands of ``./start.sh``."""

from infra.local.cli import main

main()
