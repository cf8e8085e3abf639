"""The ids of all sources in one list: what each is called, what it is, and who says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pathkg.sources.tables import SourceTables

SYMBOL_PREFIX = "HGNC symbol"


@dataclass(slots=True)
class Concepts:
    """All ids of all sources, one entry per CURIE (its row is called gid).

    Attributes:
        ids, names, types, definitions: per gid; an empty name marks an id that is only referred to.
        sources: per gid, the numbers of the sources that define it.
        gid: CURIE -> row.
        rows: per source, the gid of each of its node rows.
    """

    ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    sources: list[tuple[int, ...]] = field(default_factory=list)
    gid: dict[str, int] = field(default_factory=dict)
    rows: list[list[int]] = field(default_factory=list)
    other_names: list[tuple[int, str, int]] = field(default_factory=list)
    same_id: Counter[str] = field(default_factory=Counter)
    type_conflicts: list[tuple[str, str, str, str]] = field(default_factory=list)

    @classmethod
    def collect(cls, sources: Sequence[SourceTables]) -> Concepts:
        """Enter the nodes of all sources, in order: the first source that names an id gives its name and type."""
        self = cls()
        for number, source in enumerate(sources):
            table = source.nodes
            columns = (table["id"].to_pylist(), table["name"].to_pylist(), table["type"].to_pylist(),
                       table["definition"].to_pylist())
            self.rows.append([self._enter(number, source.record.name, *row) for row in
                              zip(*columns, strict=True)])
        return self

    def _enter(self, number: int, label: str, curie: str, name: str, type_: str, definition: str) -> int:
        gid = self.gid.setdefault(curie, len(self.ids))
        if gid == len(self.ids):
            self.ids.append(curie)
            self.names.append(name)
            self.types.append(type_)
            self.definitions.append(definition)
            self.sources.append((number,) if name else ())
            return gid
        if not name:
            return gid
        if not self.names[gid]:
            self.names[gid], self.types[gid] = name, type_
        else:
            self.same_id[label] += 1
            if name != self.names[gid]:
                self.other_names.append((gid, name, number))
            if type_ != self.types[gid]:
                self.type_conflicts.append((curie, self.types[gid], type_, label))
        self.definitions[gid] = self.definitions[gid] or definition
        if number not in self.sources[gid]:
            self.sources[gid] = (*self.sources[gid], number)
        return gid

    def prefix(self, gid: int) -> str:
        """The vocabulary of an id. ``HGNC:ERBB2`` (a symbol) and ``HGNC:3430`` (an accession) count as two."""
        prefix, _, local = self.ids[gid].partition(":")
        return SYMBOL_PREFIX if prefix == "HGNC" and not local.isdigit() else prefix
