from dags.tables import collected


def run(name: str, rows: int, slowest: float, **more: object) -> dict[str, object]:
    return {
        "register_name": name, "mode": "head", "row_count": rows, "page_count": 2, "retry_count": 0, "seconds": 1.0,
        "slowest_seconds": slowest, "is_complete": True, "message": "",
    } | more  # fmt: skip


def test_the_largest_register_comes_first_and_the_slowest_call_is_named_first() -> None:
    lines = collected([run("lots", 1200, 0.5), run("contract", 3400, 0.2), run("rnu", 1, 2.25)]).splitlines()

    assert [line.split()[0] for line in lines[1:4]] == ["contract", "lots", "rnu"]
    assert lines[4] == "3 endpoints, 4,601 rows"
    assert lines[5] == "The slowest calls: rnu 2.25 s, lots 0.50 s, contract 0.20 s"


def test_a_register_that_is_not_complete_says_why() -> None:
    assert "not complete: it answers 500" in collected([run("acts", 0, 9, is_complete=False, message="it answers 500")])
