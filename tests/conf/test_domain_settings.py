"""Settings, ports, secrets and addresses of a domain stand in its own file, and are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import ValidationError

from conf import Settings, domain_settings, wrong_settings
from conf.addresses import Address, addresses
from conf.domains.procurement import ProcurementSettings
from conf.domains.rates import RatesSettings
from conf.settings import port


class WeatherSettings(Settings):
    """A domain that is added by its file alone."""

    secret_names = ("weather_station",)

    weather_url: str = "https://weather.example"
    weather_standin_port: int | None = port(9130)

    def time_zone(self) -> str:
        return "Asia/Almaty"

    def standin_values(self) -> dict[str, str]:
        return {"weather_url": f"http://127.0.0.1:{self.port('weather_standin')}"}

    def domain_addresses(self) -> list[Address]:
        return [Address("weather", "Stand-in of the weather", self.weather_url, "", "", "weather_station")]


CACHES = (domain_settings.domain_settings, domain_settings.whole_class, domain_settings.default_ports)


def forget() -> None:
    for cache in CACHES:
        cache.cache_clear()


@pytest.fixture
def weather(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if `conf/domains/weather.py` were there."""
    before = list(domain_settings.domain_settings())
    module = ModuleType("conf.domains.weather")
    monkeypatch.setattr(WeatherSettings, "__module__", module.__name__)
    module.__dict__["WeatherSettings"] = WeatherSettings
    modules = [ModuleType(domain.__module__) for domain in before]
    for each, domain in zip(modules, before, strict=True):
        each.__dict__[domain.__name__] = domain
    monkeypatch.setattr(domain_settings, "modules_below", lambda _: [*modules, module])
    forget()
    yield
    monkeypatch.undo()
    forget()


def test_whatever_class_is_named_every_domain_is_there(tmp_path: Path) -> None:
    plain = Settings(home=tmp_path)
    named = ProcurementSettings(home=tmp_path, goszakup_collection="gos")

    assert ProcurementSettings.of(plain).goszakup_collection == "goszakup"
    assert (named.goszakup_collection, RatesSettings.of(named).rates_timeout_seconds) == ("gos", 30.0)
    assert type(plain) is type(named)


def test_the_environment_names_a_domains_setting_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAUDA_GOSZAKUP_URL", "http://127.0.0.1:9")
    settings = ProcurementSettings.of(Settings(home=tmp_path))

    assert settings.goszakup_url == "http://127.0.0.1:9"
    assert settings.environment()["SAUDA_GOSZAKUP_URL"] == "http://127.0.0.1:9"
    monkeypatch.setenv("SAUDA_GOSZAKUP_CONCURRENCY", "0")
    monkeypatch.setenv("SAUDA_GOSZAKUP_TOKEN", "hush")
    with pytest.raises(ValidationError) as refused:
        Settings(home=tmp_path)
    (sentence,) = wrong_settings(refused.value)
    assert sentence.startswith("SAUDA_GOSZAKUP_CONCURRENCY=0: ")


def test_stand_ins_take_the_place_of_every_domains_services(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path).at_standin()
    at = f"http://127.0.0.1:{settings.port('goszakup_standin')}"

    assert ProcurementSettings.of(settings).goszakup_url == at
    assert ProcurementSettings.of(settings).goszakup_secret == settings.secret("goszakup_standin")
    assert RatesSettings.of(settings).rates_url.startswith(at)


@pytest.mark.usefixtures("weather")
def test_a_domain_is_added_by_its_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SAUDA_PORT_OFFSET", "SAUDA_STACK"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(home=tmp_path, stack="test")

    assert settings.port("weather_standin") == 29_130
    zones = {"procurement": "Asia/Almaty", "rates": "UTC", "shop": "UTC", "weather": "Asia/Almaty"}
    assert settings.time_zones() == zones
    assert WeatherSettings.of(settings.at_standin()).weather_url == "http://127.0.0.1:29130"
    assert addresses(settings)[-1].title == "Stand-in of the weather"
    assert settings.secret("weather_station") == Settings(home=tmp_path, stack="test").secret("weather_station")
    assert "weather_url" in domain_settings.setting_fields()


@pytest.mark.usefixtures("weather")
@pytest.mark.parametrize("name", ["kafka_port", "goszakup_url"])
def test_a_name_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    annotations = WeatherSettings.__annotations__ | {name: "str"}
    monkeypatch.setattr(WeatherSettings, "__annotations__", annotations)
    fields = WeatherSettings.model_fields | ProcurementSettings.model_fields
    monkeypatch.setattr(WeatherSettings, "__pydantic_fields__", fields)
    with pytest.raises(ValueError, match=rf"the setting {name} is declared in conf.* and in conf\.domains\.weather"):
        domain_settings.whole_class()


def test_a_module_without_a_class_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_settings, "modules_below", lambda _: [ModuleType("conf.domains.empty")])
    forget()
    try:
        with pytest.raises(ValueError, match=r"conf\.domains\.empty must declare one class below Settings"):
            domain_settings.domain_settings()
    finally:
        monkeypatch.undo()
        forget()


def test_a_secret_that_another_version_declared_stays(tmp_path: Path) -> None:
    from conf.secrets import load_secrets

    file = tmp_path / "secrets.json"
    first = load_secrets(file, ["a"])
    second = load_secrets(file, ["b"])
    again = load_secrets(file, ["a", "b"])

    assert (again.named("a"), again.named("b")) == (first.named("a"), second.named("b"))
    assert again.kafka == first.kafka
    assert first.named("a") not in repr(first)
    with pytest.raises(KeyError):
        again.named("c")


@pytest.mark.parametrize("text", ["", "a,,b", "a;a", "*;*", ";a"])
def test_a_domain_is_in_one_process(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(home=tmp_path, stream_processes=text)
    assert wrong_settings(refused.value)[0].startswith(f"SAUDA_STREAM_PROCESSES={text}: each domain once was expected")


def test_processes_are_named_by_their_domains(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).stream_groups == (("*",),)
    assert Settings(home=tmp_path, stream_processes="a, b;*").stream_groups == (("a", "b"), ("*",))
