"""``python -m infra.local.clickhouse_server CONFIG_FOLDER DATA_FOLDER``: a ClickHouse server from PyPI's chdb-core.

chdb holds the whole server; what it runs is clickhouse-local, which reads ``config.xml`` of the current folder and
listens when asked to. A cluster runs the ordinary clickhouse-server with the same ``users.xml``.

Never create a table with the Kafka engine in it: the server would refuse to start afterwards (users.xml does not
grant that engine).
"""

from __future__ import annotations

import os
import sys

# One row a second, as long as nobody stops it: the listeners live as long as this query. It looks for a signal
# between two rows, so SIGTERM ends it in about a second. SIGKILL is harmless too: parts of tables are written
# beside the old ones and renamed.
LISTEN = """
SYSTEM START LISTEN HTTP;
SYSTEM START LISTEN TCP;
SELECT sleepEachRow(1) FROM system.numbers LIMIT 100000000
SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0, log_queries = 0
FORMAT Null
"""


def main(config_folder: str, data_folder: str) -> None:
    """Does not return until the server is told to stop."""
    os.makedirs(data_folder, exist_ok=True)  # noqa: PTH103
    os.chdir(config_folder)
    # Importing chdb reads the config.xml of the current folder, so only after the chdir.
    import chdb._chdb

    chdb._chdb.query(LISTEN, "TabSeparated", path=data_folder)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
