"""What is wrong with a file, for programs and for people."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import orjson

from ingestion.shop.check import FILE, Findings


def as_json(name: str, size: int, digest: str, rows: int, dropped_at: datetime, findings: Findings) -> bytes:
    """The report for programs. Rows are counted from 1, a header left out; row 0 is the file as a whole."""
    content = {
        "file": name, "bytes": size, "sha256": digest, "dropped_at": dropped_at, "rows_read": rows,
        "finding_count": findings.by_rule.total(), "findings_by_rule": dict(findings.by_rule.most_common()),
        "findings": [asdict(finding) for finding in findings.listed],
    }  # fmt: skip
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def as_text(name: str, rows: int, findings: Findings) -> str:
    """The report for people."""
    count = findings.by_rule.total()
    lines = [f"{name!r} was refused, whole: nothing of it was loaded. {rows:,} rows were read, {count:,} findings.", ""]
    lines += [str(finding) for finding in findings.listed]
    if count > len(findings.listed):
        lines += ["", f"… and {count - len(findings.listed):,} more:"]
        lines += [f"{rule}: {number:,}" for rule, number in findings.by_rule.most_common()]
    columns = ", ".join(f"{c} ({c.type.article}{', may be left out' if c.optional else ''})" for c in FILE.columns)
    lines += ["", f"A file of products has these columns: {columns}.", "Mend it and drop it again."]
    return "\n".join(lines) + "\n"
