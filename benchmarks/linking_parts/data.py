"""Where the shared data lies, and the ontology files in it."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any


def data_folder() -> Path:
    """``PATHKG_SHARED_DATA``, else ``shared/data`` beside the repository."""
    named = os.environ.get("PATHKG_SHARED_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def mondo(folder: Path) -> list[dict[str, Any]]:
    """``{id, name, synonyms}`` of MONDO."""
    with gzip.open(folder / "ontologies" / "mondo.json.gz", "rt", encoding="utf-8") as file:
        return list(json.load(file))


def obo(path: Path) -> list[dict[str, Any]]:
    """``{id, name, synonyms, scopes, parents, alt_ids, umls}`` of a gzipped OBO file, without obsolete terms."""
    terms: list[dict[str, Any]] = []
    term: dict[str, Any] | None = None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("["):
                term = None
                if line == "[Term]":
                    term = {"id": "", "name": "", "synonyms": [], "scopes": [], "parents": [], "alt_ids": [],
                            "umls": []}
                    terms.append(term)
            elif term is None or ": " not in line:
                continue
            elif line.startswith("id: "):
                term["id"] = line[4:]
            elif line.startswith("name: "):
                term["name"] = line[6:]
            elif line.startswith("alt_id: "):
                term["alt_ids"].append(line[8:])
            elif line.startswith("is_a: "):
                term["parents"].append(line[6:].split(" ")[0])
            elif line.startswith("xref: UMLS:"):
                term["umls"].append(line[6:].split(" ")[0])
            elif line.startswith("synonym: "):
                match = re.match(r'synonym: "((?:[^"\\]|\\.)*)" (\w+)', line)
                if match:
                    term["synonyms"].append(match[1].replace('\\"', '"'))
                    term["scopes"].append(match[2].lower())
            elif line == "is_obsolete: true":
                term["name"] = ""
    return [t for t in terms if t["name"]]
