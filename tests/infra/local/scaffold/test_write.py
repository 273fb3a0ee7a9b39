"""``./start.sh new`` in a copy of the repository: what it writes is found, and its tests pass at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conf import REPOSITORY
from infra.local.errors import Refused
from infra.local.scaffold import kinds
from infra.local.scaffold.write import filled, write

NEW = (
    ("domain", "tides"),
    ("table", "gold.rates_days", "--by", "currency_code"),
    ("table", "gold.shop_products_by_seller", "--from", "silver.shop_products", "--by", "seller_id"),
    ("source", "rates.lines"),
    ("page", "harbour"),
    ("flag", "r999"),
)

REGISTRY = "tests/jobs/core/test_registry.py::test_a_gold_table_has_a_"
OF_ALL = (
    f"{REGISTRY}case", f"{REGISTRY}transform_in_the_module_of_its_name", "tests/schemas/common/test_columns.py",
    "tests/schemas/test_registered.py", "tests/api/web/test_pages.py",
)  # fmt: skip
"""What is asked of everything that is registered, where a new thing may break it."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with all of `NEW`."""
    folder = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / name)
    for words in NEW:
        ended = run(folder, "-m", "infra.local", "new", *words)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_tests_of_new_things_pass_at_once(copy: Path) -> None:
    tests = (
        "tests/jobs/tides", "tests/streaming/test_tides.py", "tests/ingestion/tides", "tests/jobs/rates/test_days.py",
        "tests/jobs/shop/test_products_by_seller.py", "tests/ingestion/rates/test_lines.py",
        "tests/web/pages/test_harbour.py", "tests/jobs/procurement/flags/test_r999.py",
        "tests/schemas/derive/test_docs.py", "tests/conf/test_reference.py", *OF_ALL,
    )  # fmt: skip
    ended = run(copy, "-m", "pytest", "-q", "-p", "no:randomly", *tests)

    assert ended.returncode == 0, ended.stdout[-3000:]
    assert "gold.tides_daily" in (copy / "docs" / "reference" / "catalogue.md").read_text(encoding="utf-8")
    assert "`SAUDA_TIDES_SOURCE`" in (copy / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")


def test_what_is_written_is_as_the_linters_want_it(copy: Path) -> None:
    for words in (("check",), ("format", "--check")):
        ended = run(copy, "-m", "ruff", *words, "schemas", "jobs", "ingestion", "streaming", "conf", "tests/jobs")
        assert ended.returncode == 0, ended.stdout[-3000:]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    files = filled("page", kinds.page("harbour"))
    write(files, tmp_path)

    with pytest.raises(Refused, match="is there already: nothing was written"):
        write(files, tmp_path)


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        (kinds.domain, "Weather!", "is not a name like weather"),
        (kinds.domain, "shop", "There is a domain 'shop' already"),
        (kinds.table, "gold.nowhere_x", "has no silver table to build from"),
        (kinds.table, "gold.purchases_hourly", "There is a table gold.purchases_hourly already"),
        (kinds.source, "nowhere.file", "has no topic"),
        (kinds.flag, "r1", "is not a name like r024"),
        (kinds.domain, "class", "no word of Python"),
        (kinds.source, "shop.import", "no word of Python"),
    ],
)
def test_a_wrong_name_is_refused_with_a_sentence(kind: object, name: str, sentence: str) -> None:
    assert callable(kind)
    with pytest.raises(Refused, match=sentence):
        kind(name)
