"""Fixtures for tests of the client of goszakup."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ingestion.procurement.goszakup.fakes import FakeGoszakup, FakeKafka, serving


@pytest.fixture
def service() -> Iterator[FakeGoszakup]:
    with serving(FakeGoszakup()) as fake:
        yield fake


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()
