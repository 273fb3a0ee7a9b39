"""The processes of this machine: what ``./start.sh`` does after its virtual environment is there.

Imports nothing of ours but ``conf`` and ``schemas``; the stream, the jobs and the sources are started as commands.
"""
