"""The reference of the settings, made from their classes: ``python -m conf.reference`` writes it.

A test holds that docs/reference/settings.md is what this makes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from conf.domain_settings import domain_settings
from conf.settings import REPOSITORY, Settings

FILE = REPOSITORY / "docs" / "reference" / "settings.md"
KINDS = {
    "SecretStr": "secret",
    "Path": "path",
    "bool": "yes or no",
    "float": "number",
    "int": "whole number",
    "str": "text",
}
"""What a type is called, by what its name contains; the first that fits."""
HEAD = """# Settings

Made by `python -m conf.reference`; do not edit. Each setting is an environment variable.
A wrong value is refused at the start, by name, with what was expected.
"""


def row(name: str, field: FieldInfo) -> str:
    text = (field.description or "").replace("|", "\\|")
    return f"| `SAUDA_{name.upper()}` | {kind_of(field)} | {default_of(field)} | {text} |"


def kind_of(field: FieldInfo) -> str:
    """The type as a person names it; of choices, these."""
    annotation = str(field.annotation)
    if choices := re.findall(r"'([^']+)'", annotation.partition("Literal[")[2]):
        return ", ".join(f"`{choice}`" for choice in choices)
    return next(kind for mark, kind in KINDS.items() if mark in annotation)


def default_of(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "default_port" in extra:
        return f"`{extra['default_port']}`"
    default: Any = field.default
    if isinstance(default, Path):
        # It depends on where the repository lies.
        return f"`{default.relative_to(REPOSITORY)}` in the repository"
    return "" if default is None or default == "" or field.is_required() else f"`{default}`"


def table(fields: dict[str, FieldInfo]) -> str:
    head = "| variable | type | default | |\n|---|---|---|---|\n"
    return head + "\n".join(row(name, field) for name, field in fields.items())


def document() -> str:
    """The whole page: the general settings, then those of each domain."""
    parts = [HEAD, "## General", table(Settings.model_fields)]
    for domain in domain_settings():
        own = {name: field for name, field in domain.model_fields.items() if name not in Settings.model_fields}
        if own:
            parts += [f"## {domain.__module__.rpartition('.')[2].capitalize()}", table(own)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
