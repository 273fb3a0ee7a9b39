"""``python -m infra.local``: the commands of ``./start.sh``."""

import signal

# Until the commands are loaded, Ctrl-C ends the process without a word: there is nothing to take down yet.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from infra.local.command_line import main  # noqa: E402

main()
