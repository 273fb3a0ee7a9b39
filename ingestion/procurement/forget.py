"""``python -m ingestion.procurement.forget COLLECTION``: forget what is known of a collection.

The next load of the collection is then a first one. Exit code 0: forgotten, or nothing was known. 1: a run goes on.
"""

from __future__ import annotations

import click

from conf import settings
from ingestion.collecting.state import forget
from ingestion.core.errors import IngestError
from ingestion.procurement.ocds import stored_processes


@click.command()
@click.argument("collection")
def main(collection: str) -> None:
    """Forget where the walks of a COLLECTION stand, and what is known of its processes."""
    try:
        chosen = settings()
        files = forget(chosen, collection)
        processes = stored_processes.forget(chosen, collection)
    except IngestError as problem:
        raise click.ClickException(str(problem)) from None
    is_known = files or processes
    click.echo(f"The state of {collection} is forgotten." if is_known else f"No state was kept of {collection}.")


if __name__ == "__main__":
    main()
