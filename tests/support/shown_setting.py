"""``python -m tests.support.shown_setting NAME``: a command that prints one setting."""

import sys

from conf import settings

print(getattr(settings(), sys.argv[1]))
