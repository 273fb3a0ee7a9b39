"""``./start.sh new``: the files of a new thing, with a test that passes at once."""
