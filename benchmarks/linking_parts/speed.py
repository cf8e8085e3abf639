"""Speed of linking on one core, and of a lexicon with 500,000 forms.

Times are processor time of this process (``time.process_time``), so that other work on the machine does not enter;
opening is wall time of a fresh process.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from linking_parts.data import json_lines, mondo, obo

import pathkg
from pathkg.graph import KnowledgeGraph, make_tables, write_store
from pathkg.linking import Linker, compile_lexicon

FORMS = 500_000


def _texts(folder: Path) -> list[str]:
    return [r["text"] for r in json_lines(folder / "reports" / "tcga_reports_clean.jsonl")]


def _rate(function: Any, texts: list[str], repeat: int = 3) -> dict[str, float]:
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        for text in texts:
            function(text)
        best = min(best, time.process_time() - start)
    characters = sum(map(len, texts))
    return {"reports_per_second": round(len(texts) / best, 1), "megabytes_per_second": round(characters / best / 1e6, 2)}


def measure(folder: Path, errors: Path | None) -> dict[str, Any]:
    texts = _texts(folder)
    linker = Linker(pathkg.load())
    start = time.process_time()
    for text in texts:
        linker.link(text)
    cold = len(texts) / (time.process_time() - start)
    lengths = sorted(map(len, texts))
    return {"reports": len(texts), "median_characters": lengths[len(lengths) // 2],
            "first_pass_reports_per_second": round(cold, 1), "link": _rate(linker.link, texts),
            "entities": _rate(linker.entities, texts), "long_text": _long(linker, texts)}


def _long(linker: Linker, texts: list[str]) -> dict[str, float]:
    """Seconds for one text of 1, 2 and 5 MB: linear if the time per megabyte stays the same."""
    whole = "\n\n".join(texts)
    while len(whole) < 5_000_000:
        whole += "\n\n" + whole
    figures = {}
    for megabytes in (1, 2, 5):
        start = time.process_time()
        linker.link(whole[:megabytes * 1_000_000])
        figures[f"seconds_{megabytes}_mb"] = round(time.process_time() - start, 2)
    return figures


def measure_large(folder: Path, errors: Path | None) -> dict[str, Any]:
    """A store of the core and of MONDO, HPO, GO, Uberon and HGNC forms, filled up to 500,000 with variants."""
    graph = _large_store(folder)
    texts = _texts(folder)
    probe = ("import time,sys,json,resource\n"
             "import pathkg, numpy, marisa_trie, rapidfuzz\n"
             "from pathkg.graph import KnowledgeGraph\nfrom pathkg.linking.lexicon import open_lexicon\n"
             "g = KnowledgeGraph.open(sys.argv[1]); g.arrays\n"
             "def anon(): return sum(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('RssAnon'))\n"
             "def rss(): return sum(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmRSS'))\n"
             "a, r, t = anon(), rss(), time.perf_counter()\n"
             "lex = open_lexicon(g); lex.forms.get('hepatocellular carcinoma')\n"
             "o = time.perf_counter() - t\n"
             "from pathkg.linking import Linker\n"
             "linker = Linker(g)\n"
             "for line in open(sys.argv[2]): linker.entities(json.loads(line))\n"
             "print(json.dumps([o, (anon() - a) / 1024, (rss() - r) / 1024]))\n")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
        file.write("\n".join(map(json.dumps, texts)))
    output = subprocess.run([sys.executable, "-c", probe, str(graph.path), file.name], capture_output=True, text=True,
                            check=True, env={**os.environ})
    os.unlink(file.name)
    seconds, private, resident = json.loads(output.stdout)
    linker = Linker(graph)
    return {"keys": linker.lexicon.n_keys, "forms": graph.synonyms_table().num_rows,
            "open_seconds": round(seconds, 3), "private_megabytes_after_529_reports": round(private, 1),
            "resident_megabytes_after_529_reports": round(resident, 1),
            "lexicon_on_disk_megabytes": round(sum(p.stat().st_size for p in (graph.path / "lexicon").iterdir()) / 1e6, 1),
            "link": _rate(linker.link, texts, 2), "entities": _rate(linker.entities, texts, 2)}


def _large_store(folder: Path) -> KnowledgeGraph:
    core = pathkg.load()
    names: dict[str, tuple[str, str]] = {}
    forms: list[tuple[str, str]] = []
    table = core.synonyms_table()
    for node, form in zip(table["node"].to_pylist(), table["form"].to_pylist(), strict=True):
        curie = core.curie(node)
        names[curie] = (core.name(node), core.type(node))
        forms.append((curie, form))
    for t in mondo(folder):
        curie = f"MONDO:{t['id']}"
        names.setdefault(curie, (t["name"], "disease"))
        forms += [(curie, s) for s in [t["name"], *(t.get("synonyms") or [])]]
    for name, kind in (("hp", "effect/phenotype"), ("mondo_uberon_import", "anatomy")):
        for t in obo(folder / "ontologies" / f"{name}.obo.gz"):
            names.setdefault(t["id"], (t["name"], kind))
            forms += [(t["id"], s) for s in [t["name"], *t["synonyms"]]]
    with gzip.open(folder / "ontologies" / "go.json.gz", "rt") as file:
        for t in json.load(file):
            curie = f"GO:{t['id']}"
            names.setdefault(curie, (t["name"], "biological_process"))
            forms += [(curie, s) for s in [t["name"], *(t.get("synonyms") or [])]]
    with gzip.open(folder / "ontologies" / "hgnc_entries.tsv.gz", "rt", encoding="utf-8") as file:
        header = file.readline().rstrip("\n").split("\t")
        for line in file:
            row = dict(zip(header, line.rstrip("\n").split("\t"), strict=False))
            symbol = row.get("Approved symbol") or row.get("symbol") or ""
            if symbol:
                names.setdefault(f"HGNC:{symbol}", (symbol, "gene/protein"))
                forms += [(f"HGNC:{symbol}", s) for s in (symbol, row.get("Approved name") or row.get("name") or "") if s]
    forms = list(dict.fromkeys(forms))
    # what is missing is filled with made-up longer forms of real ones, so that the trie has the size in question
    fillers = ("variant", "type 1", "type 2", "due to mutation", "of uncertain significance", "in childhood", "with involvement")
    at = 0
    seen = set(forms)
    while len(forms) < FORMS:
        curie, form = forms[at % 250_000]
        extra = (curie, f"{form} {fillers[at % len(fillers)]}")
        if extra not in seen:
            seen.add(extra)
            forms.append(extra)
        at += 1
    target = Path(tempfile.mkdtemp(prefix="pathkg-large-")) / "store"
    write_store(target, make_tables(
        nodes=[{"id": c, "name": n, "type": k} for c, (n, k) in names.items()], edges=[],
        synonyms=[{"id": c, "form": f} for c, f in forms]),
        finish=lambda path: compile_lexicon(KnowledgeGraph.open(path), path / "lexicon") and None)
    return KnowledgeGraph.open(target)
