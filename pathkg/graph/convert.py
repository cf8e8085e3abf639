"""The graph in other libraries' shapes. Each is imported only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pathkg.errors import MissingExtraError
from pathkg.graph.tables import GraphTables, encode_words

if TYPE_CHECKING:
    import pandas as pd


def to_pandas(tables: GraphTables) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``(nodes, edges)`` as data frames; edges name their ends by CURIE (``subject_id``, ``object_id``)."""
    try:
        import pandas  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.for_extra("pandas", "graph") from error
    ids = tables.nodes["id"].combine_chunks()
    edges = tables.edges.append_column("subject_id", ids.take(tables.edges["subject"].combine_chunks()))
    edges = edges.append_column("object_id", ids.take(tables.edges["object"].combine_chunks()))
    return tables.nodes.to_pandas(), edges.to_pandas()


def to_networkx(tables: GraphTables) -> Any:
    """A ``networkx.MultiDiGraph`` keyed by CURIE; the key of a parallel edge is its row number."""
    try:
        import networkx as nx
    except ImportError as error:
        raise MissingExtraError.for_extra("networkx", "graph") from error
    graph = nx.MultiDiGraph()
    ids = tables.nodes["id"].to_pylist()
    graph.add_nodes_from(zip(ids, tables.nodes.drop_columns(["id"]).to_pylist(), strict=True))
    rows = tables.edges.to_pylist()
    graph.add_edges_from((ids[row.pop("subject")], ids[row.pop("object")], key, row) for key, row in enumerate(rows))
    return graph


def to_igraph(tables: GraphTables) -> Any:
    """A directed ``igraph.Graph``; vertex attribute ``name`` is the CURIE, ``label`` the name."""
    try:
        import igraph
    except ImportError as error:
        raise MissingExtraError.for_extra("igraph", "graph") from error
    nodes, edges = tables.nodes, tables.edges
    pairs = np.column_stack([edges["subject"].to_numpy(), edges["object"].to_numpy()])
    return igraph.Graph(
        n=nodes.num_rows, edges=pairs.tolist(), directed=True,
        vertex_attrs={"name": nodes["id"].to_pylist(), "label": nodes["name"].to_pylist(),
                      "type": nodes["type"].to_pylist(), "sources": nodes["sources"].to_pylist()},
        edge_attrs={c: edges[c].to_pylist() for c in edges.column_names[2:]})


def to_pyg(tables: GraphTables) -> Any:
    """A ``torch_geometric.data.HeteroData``: one node store per type, one ``edge_index`` per (type, relation, type).

    Undirected edges are stored once, in their own orientation; ``T.ToUndirected()`` doubles them.
    """
    try:
        import torch
        from torch_geometric.data import HeteroData
    except ImportError as error:
        raise MissingExtraError("this needs the package 'torch_geometric', which is not installed",
                                hint="pip install torch_geometric") from error
    data = HeteroData()
    codes, words = encode_words(tables.nodes["type"])
    local = np.zeros(tables.nodes.num_rows, np.int64)
    ids = tables.nodes["id"]
    for code, word in enumerate(words):
        rows = np.flatnonzero(codes == code)
        local[rows] = np.arange(len(rows))
        data[word].num_nodes = len(rows)
        data[word].node_id = ids.take(rows).to_pylist()
    subject, obj = tables.edges["subject"].to_numpy(), tables.edges["object"].to_numpy()
    relation, names = encode_words(tables.edges["relation"])
    key = (codes[subject] * len(names) + relation) * len(words) + codes[obj]
    negated = pc.cast(tables.edges["negated"], "int8").to_numpy()
    for value in np.unique(key).tolist():
        rows = np.flatnonzero(key == value)
        head, name, tail = value // len(words) // len(names), value // len(words) % len(names), value % len(words)
        store = data[words[head], names[name], words[tail]]
        store.edge_index = torch.from_numpy(np.stack([local[subject[rows]], local[obj[rows]]]))
        store.edge_id = torch.from_numpy(rows)
        store.negated = torch.from_numpy(negated[rows].copy())
    return data
