"""The graph: schema, tables, adjacency, the on-disk store and ``KnowledgeGraph``."""

from pathkg.graph.adjacency import BACKWARD, FORWARD, GraphArrays
from pathkg.graph.knowledge_graph import KnowledgeGraph
from pathkg.graph.store import read_manifest, write_store
from pathkg.graph.tables import GraphTables, make_tables

__all__ = ["BACKWARD", "FORWARD", "GraphArrays", "GraphTables", "KnowledgeGraph", "make_tables", "read_manifest",
           "write_store"]
