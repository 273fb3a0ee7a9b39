"""The house: who may import whom, how long a module may be, what no file may say."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from conf import REPOSITORY

OURS = {"schemas", "conf", "ingestion", "standins", "streaming", "jobs", "api", "dags", "infra", "bench", "tests"}
ALLOWED = {
    "schemas": set(),
    "conf": set(),
    "ingestion": {"conf", "schemas"},
    "standins": {"conf", "schemas", "ingestion"},
    "streaming": {"conf", "schemas"},
    "jobs": {"conf", "schemas"},
    "api": {"conf", "schemas"},
    "dags": {"schemas"},
    "infra": {"conf", "schemas"},
}
SHARED_DOMAINS = {"ops", "rates"}
"""Tables that every domain needs: what Sauda says of its own runs, and the rates of currencies."""
OTHER_DOMAINS = {
    "infra/local/parts/goszakup_standin.py": "is a part of procurement, under the name of the service",
    "jobs/purchases/category_daily.py": "is built from the shop's products, as its contract says",
    "schemas/purchases/gold.py": "names the shop's products as what a table is built from",
}
"""Modules that may import another domain's, or one although they serve all; each with its reason."""
VAGUE_NAMES = {"told", "made", "asked", "found", "said"}
PUBLIC_NAMES = {("ingestion/shop/check.py", "found"): "is a member of the report of a file, which users read"}
MOST_LINES = 400
MACHINE_PATHS = ("/" + "work/", "/" + "root/", "/" + "home/", "/" + "Users/")


@cache
def files(ending: str = "") -> tuple[Path, ...]:
    """What is in the repository or is about to be: nothing that is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    actual = (REPOSITORY / name for name in listed.split("\0") if name.endswith(ending) and name)
    return tuple(sorted(path for path in actual if path.is_file()))


def named(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def outside_tests() -> Iterator[Path]:
    return (path for path in files(".py") if not named(path).startswith("tests/"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """The top-level names that a module imports, at any depth of its code."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield path.relative_to(REPOSITORY).parts[0] if node.level else str(node.module).partition(".")[0]


def test_there_is_a_house() -> None:
    folders = {named(path).partition("/")[0] for path in files(".py")}

    assert folders >= {"conf", "schemas", "streaming", "infra", "tests"}
    assert folders <= OURS, "say in ALLOWED what the new folder may import"


def test_imports_keep_their_direction() -> None:
    results = []
    for path in files(".py"):
        folder = named(path).partition("/")[0]
        if folder in ALLOWED:
            wrong = set(imports(path)) & OURS - ALLOWED[folder] - {folder}
            results += [f"{named(path)} may not import {name}" for name in sorted(wrong)]

    assert results == []


def domains() -> set[str]:
    folders = (path.parent for path in (REPOSITORY / "schemas").glob("*/__init__.py"))
    return {folder.name for folder in folders} - {"contract", "derive", "common"} - SHARED_DOMAINS


def imported_modules(path: Path) -> Iterator[str]:
    """The whole names of the modules that a module imports, at any depth of its code."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def other_domains(path: Path) -> set[str]:
    """The domains of which a module imports something, its own left out."""
    own = set(path.relative_to(REPOSITORY).with_suffix("").parts[1:])
    names = {
        part for module in imported_modules(path) if module.partition(".")[0] in OURS for part in module.split(".")
    }
    return names & domains() - own


def test_a_domain_imports_no_other_and_what_serves_all_imports_none() -> None:
    apart = ("tests/", "bench/")
    modules = {named(p): other_domains(p) for p in outside_tests() if not named(p).startswith(apart)}
    foreign = {name: others for name, others in modules.items() if others}

    assert foreign.keys() == OTHER_DOMAINS.keys(), foreign


def test_modules_are_small() -> None:
    lines = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(".py")}

    assert {name: count for name, count in lines.items() if count >= MOST_LINES} == {}


def test_docstrings_end_as_sentences_do() -> None:
    """Or with an example that is drawn or typed."""
    results = []
    for path in outside_tests():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                last = (ast.get_docstring(node) or ".").splitlines()[-1]
                example = last.startswith("    ") or "./start.sh" in last or "e.g. " in last
                results += [] if last.endswith(".") or example else [f"{named(path)}: {last!r}"]

    assert results == []


def test_modules_say_what_they_are() -> None:
    assert [named(path) for path in outside_tests() if not ast.get_docstring(tree(path))] == []


def identifiers(path: Path) -> set[str]:
    """The names that a module gives or uses."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add(other or name)
    return names


def test_names_say_what_a_thing_is_and_not_what_was_done() -> None:
    vague = {(named(path), n) for path in files(".py") for n in identifiers(path) if n.lower() in VAGUE_NAMES}
    assert vague == set(PUBLIC_NAMES)


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    results = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        results += [f"{named(path)}: {where}" for where in MACHINE_PATHS if where in text]

    assert results == []


def test_only_conf_reads_the_environment() -> None:
    """Setting variables for a child or for Spark is no reading; `conf` and the local infrastructure do both."""
    readers = []
    for path in files(".py"):
        if named(path).partition("/")[0] in ("schemas", "ingestion", "streaming", "jobs", "api"):
            for node in ast.walk(tree(path)):
                if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                    readers.append(named(path))

    assert readers == []


def test_what_needs_the_stack_is_marked_so_and_lies_by_itself() -> None:
    """Unit tests are all but tests/services, and service tests are what is marked there: none may fall between."""
    tests = [path for path in files(".py") if named(path).startswith("tests/") and path.name.startswith("test_")]
    marked = {named(path) for path in tests if "pytest.mark." + "services" in path.read_text()}

    assert marked == {named(path) for path in tests if named(path).startswith("tests/services/")}


def unit_tests() -> list[Path]:
    actual = (path.relative_to(REPOSITORY) for path in files(".py") if path.name.startswith("test_"))
    return [path for path in actual if path.parts[0] == "tests" and path.parts[1] not in ("services", "support")]


def test_the_tests_folders_are_those_of_the_sources() -> None:
    """A test of a module has its name, below `tests/`; a test of what several modules do lies in their folder."""
    folders = {path.relative_to(REPOSITORY).parent for path in files() if not named(path).startswith("tests/")}
    mirrored = {test: test.relative_to("tests").parent for test in unit_tests()}

    assert [str(test) for test, folder in mirrored.items() if not folders & {folder, *_below(folder, folders)}] == []


def _below(folder: Path, folders: set[Path]) -> set[Path]:
    return {known for known in folders if folder in known.parents}


def test_no_test_lies_apart_from_the_module_of_its_name() -> None:
    """Where a module of that name is elsewhere in the layer, the test has been left behind."""
    sources = {path.relative_to(REPOSITORY) for path in outside_tests()}
    by_layer = {(path.parts[0], path.name) for path in sources}
    results = []
    for test in unit_tests():
        source = test.relative_to("tests").parent / test.name.removeprefix("test_")
        if source not in sources and (source.parts[0], source.name) in by_layer:
            results.append(
                f"{test}: {sorted(str(s) for s in sources if s.parts[0] == source.parts[0] and s.name == source.name)}"
            )

    assert results == []


def test_each_domains_flow_has_a_smoke_test() -> None:
    """`./start.sh test --smoke` runs one flow of each domain."""
    flows = REPOSITORY / "tests" / "services" / "flows"
    marked = {path.parent.name for path in flows.rglob("test_*.py") if "pytest.mark." + "smoke" in path.read_text()}

    assert marked == {path.parent.name for path in flows.rglob("test_*.py")} - {"common"}
