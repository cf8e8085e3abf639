"""HGNC's table of gene names: approved symbol and name, aliases, previous symbols, NCBI Gene and UniProt ids."""

from __future__ import annotations

import os

from pathkg.sources.delimited import check_columns, existing, read_all_text
from pathkg.sources.ontology_types import LICENCES
from pathkg.sources.tables import (
    DBXREF,
    EXACT,
    ReadReport,
    SourceBuilder,
    SourceRecord,
    SourceTables,
    file_record,
)

# two spellings of one table: the custom download (with blanks) and hgnc_complete_set.txt
_COLUMNS = {
    "id": ("HGNC ID", "hgnc_id"), "symbol": ("Approved symbol", "symbol"), "name": ("Approved name", "name"),
    "status": ("Status", "status"), "aliases": ("Alias symbols", "alias_symbol"),
    "previous": ("Previous symbols", "prev_symbol"),
    "ncbi": ("NCBI Gene ID(supplied by NCBI)", "NCBI Gene ID", "entrez_id"),
    "uniprot": ("UniProt ID(supplied by UniProt)", "UniProt ID", "uniprot_ids"),
    "ensembl": ("Ensembl gene ID", "ensembl_gene_id")}


def read_hgnc(path: str | os.PathLike[str], *, name: str = "HGNC") -> SourceTables:
    """Read HGNC's table (custom download or complete set; plain or gzip).

    A gene is named by its symbol, as in PrimeKG; the approved name is an exact synonym. Withdrawn entries are
    counted and left out.

    Raises:
        InputError: missing file or columns.
    """
    file = existing(path)
    report = ReadReport()
    builder = SourceBuilder(file.name, report)
    lines = read_all_text(file).splitlines()
    header = lines[0].split("\t")
    place = {key: next((header.index(s) for s in spellings if s in header), -1) for key, spellings in _COLUMNS.items()}
    check_columns(file, header, [_COLUMNS[k][0] for k in ("id", "symbol") if place[k] < 0])
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) > len(header) or len(fields) <= max(place["id"], place["symbol"]):
            report.drop("row with another number of fields than the header", file=file.name, line=number, text=line)
            continue
        fields += [""] * (len(header) - len(fields))
        report.count("rows")
        row = {key: fields[at].strip().strip('"') if at >= 0 else "" for key, at in place.items()}
        if "withdrawn" in row["status"].lower():
            report.count("withdrawn entries")
            continue
        _gene(row, builder, number)
    return builder.finish(SourceRecord(name, "", LICENCES["HGNC"], "https://www.genenames.org",
                                       files=(file_record(file),)))


def _gene(row: dict[str, str], builder: SourceBuilder, number: int) -> None:
    curie = row["id"]
    builder.node(curie, row["symbol"], "gene/protein", line=number)
    builder.form(curie, row["name"])
    for key in ("aliases", "previous"):
        for form in row[key].replace("|", ",").split(","):
            builder.form(curie, form.strip(), "related")
    if row["ncbi"].isdigit():
        builder.xref(curie, f"NCBIGene:{row['ncbi']}", EXACT)
    for accession in row["uniprot"].replace("|", ",").split(","):
        if accession.strip():
            builder.xref(curie, f"UniProtKB:{accession.strip()}", DBXREF)
    if row["ensembl"]:
        builder.xref(curie, f"ENSEMBL:{row['ensembl']}", DBXREF)
