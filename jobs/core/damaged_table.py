"""A table of the lake that cannot be read, in one sentence: which table, which file, and what mends it."""

from __future__ import annotations

import re

from jobs.core.errors import sentence
from schemas.contract import find

# As ClickHouse, Spark and S3 name it in their errors, and as a Delta log or Parquet file is called.
_FILE = re.compile(r"([^\s'\"(),:]+\.(?:parquet|json|crc))\b")
_CLICKHOUSE = re.compile(r"(?:Received ClickHouse exception, code: \d+, server response: )?Code: \d+\. DB::\w+: ")
_AWAY = re.compile(r"Connection refused|Max retries exceeded|NETWORK_ERROR|POCO_EXCEPTION|timed out", re.IGNORECASE)
MOST = 300


def damage_sentence(table: str, error: BaseException) -> str:
    """The sentence. A part that is away is no damage, and is said as what it is."""
    text = " ".join(str(error).split())
    why = _CLICKHOUSE.sub("", text).split(" (version ")[0].strip() or sentence(error)
    why = f"{why[:MOST]}…" if len(why) > MOST else why
    file = _FILE.search(text)
    if file is None or _AWAY.search(text):
        return f"{table} cannot be read: {why}"
    return f"{table} cannot be read: its file {file[1]} is damaged or gone ({why}). {_remedy(table, file[1])}"


def _remedy(table: str, file: str) -> str:
    # The file may be of another table, from which this one is made.
    owner = table
    if match := re.search(r"/(bronze|silver|gold|quarantine)/(\w+)/", file):
        owner = f"{match[1]}.{match[2]}"
    if owner.startswith("gold.") and find(owner).refresh == "nightly":
        return f"./start.sh job {owner} builds it again."
    return f"Put the file back from a copy of the bucket; until then {owner} is not whole in the lake."
