"""Which unit tests a change concerns."""

from __future__ import annotations

from infra.local import changed_tests

TESTS = ["tests/conf/test_disk.py", "tests/infra/local/test_changed_tests.py", "tests/support/test_tables.py"]


def test_the_test_itself_its_source_and_what_it_imports() -> None:
    own = "tests/infra/local/test_changed_tests.py"

    assert changed_tests.tests_of({own}, TESTS) == [own]
    assert changed_tests.tests_of({"infra/local/changed_tests.py"}, TESTS) == [own]
    assert changed_tests.tests_of({"tests/support/tables.py"}, TESTS) == ["tests/support/test_tables.py"]
    assert changed_tests.tests_of({"README.md"}, TESTS) == []


def test_support_is_looked_through() -> None:
    assert "schemas/derive/fakes.py" in changed_tests.imported("tests/support/test_tables.py")


def test_service_tests_are_no_unit_tests() -> None:
    files = changed_tests.unit_test_files()

    assert set(TESTS) <= set(files)
    assert not [name for name in files if "services" in name]
