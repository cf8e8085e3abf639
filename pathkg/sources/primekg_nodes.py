"""PrimeKG's nodes: from a row's id, type, source and name to a CURIE, and what keeps a row from having one."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from pathkg.errors import InputError
from pathkg.graph.schema import NODE_TYPES
from pathkg.sources.curies import GROUP_PREFIX, SOURCE_OF_TYPE, from_primekg, group_members
from pathkg.sources.tables import (
    EXACT,
    NARROW,
    SOURCE_FORMS,
    SOURCE_MAPPINGS,
    SOURCE_NODES,
    SOURCE_XREFS,
    WORD,
    ReadReport,
    SourceRecord,
    SourceTables,
    column_of,
    table_of,
)


@dataclass(frozen=True, slots=True)
class NodeDraft:
    """A node as one row gives it; ``None`` is a value that is not text."""

    id: str | None
    type: str | None
    source: str | None
    name: str | None


def why_unusable(draft: NodeDraft) -> str:
    """The reason, in words, why a draft makes no node (asked only of drafts that make none)."""
    if None in (draft.id, draft.type, draft.source, draft.name):
        return "a NUL byte or bytes that are not UTF-8"
    type_ = _type_of(draft.type or "")
    if type_ is None:
        return "a node type that PrimeKG does not have"
    try:
        from_primekg(draft.source or SOURCE_OF_TYPE.get(type_, ""), draft.id or "")
    except InputError as error:
        return "an id source that PrimeKG does not have" if "not a PrimeKG source" in error.message else \
            "an id that is not of its source's form"
    return "unusable node"


def _type_of(text: str) -> str | None:
    if text in NODE_TYPES:
        return text
    repaired = text.strip().replace(" ", "_")
    return repaired if repaired in NODE_TYPES else None


class NodeSet:
    """Collects PrimeKG nodes by CURIE; the same CURIE under several names, types or groups is one node."""

    def __init__(self, file: str, report: ReadReport) -> None:
        self.file, self.report = file, report
        self.ids: dict[str, int] = {}
        self.names: list[str] = []
        self.types: list[str] = []
        self.forms: dict[tuple[int, str], None] = {}

    def add(self, draft: NodeDraft) -> int:
        """The node's row, or -1 for a draft that cannot be used (the caller reports its rows)."""
        if draft.id is None or draft.type is None or draft.name is None or draft.source is None:
            return -1
        type_ = _type_of(draft.type)
        if type_ is None:
            return -1
        if type_ != draft.type:
            self.report.repair("node type with a blank for '_'", file=self.file, text=draft.type)
        try:
            curie = from_primekg(draft.source or SOURCE_OF_TYPE.get(type_, ""), draft.id)
        except InputError:
            return -1
        if draft.id.endswith(".0"):
            self.report.repair("id that went through a float column", file=self.file, text=draft.id)
        row = self.ids.setdefault(curie, len(self.names))
        if row == len(self.names):
            self.names.append(draft.name)
            self.types.append(type_)
            return row
        if self.names[row] != draft.name:
            self.report.repair("id with a second name, kept as a synonym", file=self.file,
                               text=f"{curie} {self.names[row]!r} / {draft.name!r}")
            self.forms[row, draft.name] = None
        if self.types[row] != type_:
            self.report.repair("id with a second type, first kept", file=self.file,
                               text=f"{curie} {self.types[row]} / {type_}")
        return row

    def finish(self, record: SourceRecord, edges: pa.Table) -> SourceTables:
        """The tables of a source: these nodes, their second names and references, and ``edges`` between them."""
        xrefs = []
        ids = list(self.ids)
        for row, curie in enumerate(ids):
            if curie.startswith(GROUP_PREFIX):
                for member in group_members(curie):
                    xrefs.append((row, member, NARROW))
            elif curie.startswith("CTD:"):
                xrefs.append((row, f"MESH:{curie[4:]}", EXACT))
        nodes = pa.Table.from_arrays(
            [pa.array(ids, pa.string()), pa.array(self.names, pa.string()), column_of(self.types, WORD),
             pa.array([""] * len(ids), pa.string())], schema=SOURCE_NODES)
        self.report.counts.update({"nodes": len(ids), "edges": edges.num_rows, "disease groups":
                                   sum(c.startswith(GROUP_PREFIX) for c in ids), "group members":
                                   sum(p == NARROW for *_, p in xrefs)})
        return SourceTables(
            record, nodes, edges, table_of([(n, f, "exact", "") for n, f in self.forms], SOURCE_FORMS),
            table_of(xrefs, SOURCE_XREFS), table_of([], SOURCE_MAPPINGS), self.report)
