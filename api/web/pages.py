"""The pages: each folder of `web/pages/` is one, shown in the shell (`web/shell/shell.html`), which lists them all.

A page is `page.json` (its title, the text of its link, its place among the others), `page.html` (what stands below the
header), `page.js`, and `page.css` if it needs one. The one with ``is_home`` is at `/`, all others at ``/pages/<name>``.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from html import escape
from pathlib import Path
from typing import NamedTuple

import msgspec

from conf import REPOSITORY

WEB = REPOSITORY / "web"
MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
NAME = re.compile(r"[a-z][a-z0-9_]*")


class Page(msgspec.Struct, forbid_unknown_fields=True):
    """A page as its `page.json` declares it; `name` is its folder."""

    title: str
    link: str
    order: int
    is_home: bool = False
    name: str = ""

    @property
    def path(self) -> str:
        return "/" if self.is_home else f"/pages/{self.name}"


class Asset(NamedTuple):
    """A file, and the mark of its content."""

    body: bytes
    media: str
    etag: str

    @classmethod
    def of(cls, body: bytes, media: str) -> Asset:
        return cls(body, media, f'"{hashlib.sha256(body).hexdigest()[:20]}"')


class Site:
    """All pages and files below a folder, read once. Raises ValueError for a page that could not be shown."""

    def __init__(self, web: Path = WEB) -> None:
        self.web = web
        folders = sorted(path for path in (web / "pages").iterdir() if path.is_dir())
        self.pages = sorted((_page(folder) for folder in folders), key=lambda page: (page.order, page.name))
        if len(homes := [page.name for page in self.pages if page.is_home]) != 1:
            raise ValueError(f"just one page must be at /; there are {', '.join(homes) or 'none'}")
        self.by_path = {page.path: self._shown(page) for page in self.pages}

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """The files by their path below `web/`; nothing else can be asked for."""
        files = ((path, path.relative_to(self.web).as_posix()) for path in sorted(self.web.rglob("*")))
        return {
            name: Asset.of(path.read_bytes(), MEDIA[path.suffix])
            for path, name in files
            if path.suffix in MEDIA and path.suffix != ".html" and not name.startswith("node_modules/")
        }

    def _shown(self, page: Page) -> Asset:
        """The page in the shell."""
        style = f'  <link rel="stylesheet" href="/web/pages/{page.name}/page.css">\n'
        values = {
            "name": page.name,
            "title": escape(page.title),
            "styles": style if (self.web / "pages" / page.name / "page.css").is_file() else "",
            "navigation": self._navigation(page),
            "content": (self.web / "pages" / page.name / "page.html").read_text(encoding="utf-8"),
        }
        shell = (self.web / "shell" / "shell.html").read_text(encoding="utf-8")
        text = re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], shell)
        return Asset.of(text.encode(), MEDIA[".html"])

    def _navigation(self, page: Page) -> str:
        """Links to all pages; none where there is only one."""
        if len(self.pages) < 2:
            return ""
        links = (
            f'<a href="{each.path}"{" aria-current=page" if each is page else ""}>{escape(each.link)}</a>'
            for each in self.pages
        )
        return f'  <nav aria-label="Pages">{" ".join(links)}</nav>\n'


def _page(folder: Path) -> Page:
    for name in ("page.json", "page.html", "page.js"):
        if not (folder / name).is_file():
            raise ValueError(f"the page {folder.name} has no {name}")
    if not NAME.fullmatch(folder.name):
        raise ValueError(f"the page {folder.name!r} must be named with small letters, digits and _")
    try:
        page = msgspec.json.decode((folder / "page.json").read_bytes(), type=Page)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{folder.name}/page.json: {error}") from None
    page.name = folder.name
    return page
