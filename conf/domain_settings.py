"""Combines the generic settings with those that each domain declares in `conf/domains/<domain>.py`."""

from __future__ import annotations

from functools import lru_cache

from pydantic import ValidationError
from pydantic.fields import FieldInfo

import conf.domains
from conf.discovery import modules_below
from conf.settings import Settings


@lru_cache(maxsize=1)
def domain_settings() -> tuple[type[Settings], ...]:
    """The domains' classes, found by walking `conf/domains/`: one in each module there."""
    classes = []
    for module in modules_below(conf.domains):
        declared = [value for value in vars(module).values() if _is_declared_in(value, module.__name__)]
        if len(declared) != 1:
            raise ValueError(f"{module.__name__} must declare one class below Settings, and declares {len(declared)}")
        classes += declared
    return tuple(classes)


def _is_declared_in(value: object, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, Settings) and value.__module__ == module


def domain_name(domain: type[Settings]) -> str:
    """The domain of a class that stands in `conf/domains/<domain>.py`."""
    return domain.__module__.removeprefix("conf.domains.").partition(".")[0]


@lru_cache(maxsize=1)
def whole_class() -> type[Settings]:
    """The class of which every object of settings is. Raises ValueError where a name is declared twice."""
    owners = dict.fromkeys(Settings.model_fields, "conf.settings")
    for domain in domain_settings():
        for name in vars(domain).get("__annotations__", {}).keys() & domain.model_fields.keys():
            if name in owners:
                raise ValueError(f"the setting {name} is declared in {owners[name]} and in {domain.__module__}")
            owners[name] = domain.__module__
    return type("AllSettings", (*domain_settings(), Settings), {"__module__": __name__})


def setting_fields() -> dict[str, FieldInfo]:
    """Every setting by its name, those of the domains too."""
    return dict(whole_class().model_fields)


@lru_cache(maxsize=1)
def default_ports() -> dict[str, int]:
    """Every port by the name of its part."""
    declared = ((name, field.json_schema_extra) for name, field in setting_fields().items())
    return {
        name.removesuffix("_port"): int(str(extra["default_port"]))
        for name, extra in declared
        if isinstance(extra, dict) and "default_port" in extra
    }


def wrong_settings(error: ValidationError) -> list[str]:
    """A sentence for each setting that is wrong, without the values of secrets."""
    return [_wrong(e["loc"], e["input"], e["msg"].removeprefix("Value error, ")) for e in error.errors()]


def _wrong(place: tuple[int | str, ...], given: object, what: str) -> str:
    if not place:
        return what
    known = setting_fields().get(str(place[0]))
    is_secret = known is not None and "SecretStr" in str(known.annotation)
    return f"SAUDA_{str(place[0]).upper()}{'' if is_secret else f'={given}'}: {what}"
