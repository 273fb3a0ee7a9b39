"""The API's documentation as one page, without scripts or files of other hosts."""

from __future__ import annotations

from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

ROUTER = APIRouter(include_in_schema=False)
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code,pre{font:14px/1.45 ui-monospace,monospace}pre{overflow:auto;padding:.6rem;border:1px solid #8886}"
    "summary{cursor:pointer;padding:.2rem 0}b{display:inline-block;min-width:4.5rem}h2{margin-top:2rem}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


@ROUTER.get("/docs")
async def docs(request: Request) -> Response:
    """Made from the same document as /openapi.json."""
    page = _page(request.app.openapi())
    return Response(page, headers={"Content-Security-Policy": POLICY}, media_type="text/html; charset=utf-8")


def _page(document: dict[str, Any]) -> str:
    info = document["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        f"<p>For programs: <a href=/openapi.json>/openapi.json</a></p>"
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'].capitalize())}</h2><p>{escape(tag['description'])}</p>")
        for path, operations in document["paths"].items():
            parts += [_operation(path, m, o) for m, o in operations.items() if tag["name"] in o.get("tags", ())]
    return "".join(parts)


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    html = [f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation['summary'])}"]
    html.append(f"</summary><p>{escape(operation.get('description', ''))}</p>")
    if operation.get("parameters"):
        html.append("<ul>")
        for each in operation["parameters"]:
            html.append(f"<li><code>{escape(each['name'])}</code> {escape(each.get('description', ''))}</li>")
        html.append("</ul>")
    for title, content in (("Body", operation.get("requestBody", {})), *_good(operation)):
        example = content.get("content", {}).get("application/json", {}).get("example")
        if example is not None:
            shown = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
            html.append(f"<p>{title}</p><pre>{escape(shown)}</pre>")
    return "".join([*html, "</details>"])


def _good(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"Answer {s}", answer) for s, answer in operation["responses"].items() if s.startswith("2")]
