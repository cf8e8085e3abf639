"""The merge report for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def summary(report: Mapping[str, Any]) -> str:
    """A merge report as plain text, one block per source.

    Args:
        report: the content of ``merge_report.json``.
    """
    lines: list[str] = []
    for source in report["sources"]:
        lines += _source_lines(source)
    if report["rules"]:
        lines.append("decisions (each is a row of mappings.sssom.tsv, except those left apart)")
        lines += [f"  {count:>11,}  {rule}" for rule, count in report["rules"].items()]
    conflicts = report["type conflicts"]
    if conflicts["count"]:
        shown = "; ".join(f"{c['id']} is {c['kept']}, {c['also']} in {c['source']}" for c in conflicts["examples"])
        lines.append(f"ids with two types, first kept: {conflicts['count']:,} (e.g. {shown})")
    for item in report["examples"]:
        lines.append(f"{item['source']}: {item['what']}, most frequent: {'; '.join(item['examples'])}")
    if report.get("left out"):
        lines.append(f"in ontology folders but no ontology, left out: {', '.join(report['left out'])}")
    result = report["result"]
    lines.append(f"result: {result['nodes']:,} nodes, {result['edges']:,} edges, {result['forms']:,} names and "
                 f"synonyms, {result['cross-references']:,} cross-references, {result['mappings']:,} mapping rows")
    return "\n".join(lines)


def _source_lines(source: Mapping[str, Any]) -> list[str]:
    read, nodes, edges = source["read"], source["nodes"], source["edges"]
    counts = read["counts"]
    files = source["files"]
    named = f" ({files[0]})" if len(files) == 1 else f" ({len(files)} files)" if files else ""
    if not nodes["named"] and not edges["edges read"]:
        lines = [f"{source['name']}{named}: {counts.get('mappings', 0):,} mapping rows"]
        return lines + [f"  dropped: {n:,} x {reason}" for reason, n in read["dropped"].items()]
    lines = [f"{source['name']}{named}",
             f"  nodes: {nodes['named']:,} named, {nodes['same id in another source']:,} under the same id in "
             f"another source, {sum(nodes['merged by rule'].values()):,} merged, {nodes['mapped only']:,} mapped "
             f"only, {nodes['only in this source']:,} only here"]
    lines += [f"    merged by {rule}: {n:,}" for rule, n in nodes["merged by rule"].items()]
    if nodes["examples only here"]:
        lines.append(f"    only here, e.g. {'; '.join(nodes['examples only here'][:3])}")
    lines.append(f"  edges: {edges['edges read']:,} read, {edges.get('edges kept', 0):,} kept")
    for key in ("edges to an unknown node", "edges inside one merged node", "edges that repeat another"):
        if edges.get(key):
            lines.append(f"    {key}: {edges[key]:,}")
    rows = counts.get("rows")
    if rows:
        lines.append(f"  rows: {rows:,} read, {counts.get('mirror rows folded', 0):,} mirrors of another row, "
                     f"{counts.get('exact duplicate rows', 0):,} exact duplicates")
    lines += [f"  dropped: {n:,} x {reason}" for reason, n in read["dropped"].items()]
    lines += [f"  repaired: {n:,} x {reason}" for reason, n in read["repaired"].items()]
    for problem in read["problems"][:3]:
        where = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
        lines.append(f"    e.g. {where}: {problem['reason']}" + (f": {problem['text'][:80]}" if problem["text"] else ""))
    return lines
