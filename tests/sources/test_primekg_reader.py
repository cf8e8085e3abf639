"""PrimeKG's traps, on real files and on small ones that show one trap each."""

import gzip

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from pathkg.errors import InputError
from pathkg.sources.primekg import read_primekg
from tests.shared_data import shared

HEADER = ("relation,display_relation,x_index,x_id,x_type,x_name,x_source,"
          "y_index,y_id,y_type,y_name,y_source")
TP53 = "7157,gene/protein,TP53,NCBI"
LUNG = "5097,disease,squamous cell lung carcinoma,MONDO"
SCC_HP = "2860,effect/phenotype,Squamous cell carcinoma,HPO"
SCC = "5096,disease,squamous cell carcinoma,MONDO"


def row(relation, display, x, y, xi=0, yi=1):
    return f"{relation},{display},{xi},{x},{yi},{y}"


def write(tmp_path, *rows, header=HEADER, end="\n", name="kg.csv"):
    path = tmp_path / name
    path.write_bytes((end.join([header, *rows]) + end).encode())
    return path


def pairs(tables):
    ids = tables.nodes["id"].to_pylist()
    return {(ids[e["subject"]], e["relation"], ids[e["object"]]) for e in tables.edges.to_pylist()}


# -- counting: 8,100,498 rows are 4,050,249 edges, some of them exact duplicates -------------------------------


def test_mirrors_fold_and_exact_duplicates_are_counted(tmp_path):
    there, back = row("disease_protein", "associated with", TP53, LUNG), row("disease_protein", "associated with",
                                                                             LUNG, TP53)
    report = (tables := read_primekg(write(tmp_path, there, back, there, back, there))).report
    assert tables.edges.num_rows == 1
    assert tables.edges["undirected"].to_pylist() == [True]
    assert report.counts["rows"] == 5
    assert report.counts["mirror rows folded"] == 1
    assert report.counts["exact duplicate rows"] == 3
    assert report.counts["edges given in one direction only"] == 0
    # the first row gives the orientation
    assert pairs(tables) == {("NCBIGene:7157", "disease_protein", "MONDO:0005097")}


def test_parallel_edges_survive(tmp_path):
    drug = "DB00877,drug,Sirolimus,DrugBank"
    tables = read_primekg(write(tmp_path, row("drug_protein", "target", drug, TP53),
                                row("drug_protein", "enzyme", drug, TP53)))
    assert sorted(tables.edges["display_relation"].to_pylist()) == ["enzyme", "target"]
    assert tables.report.counts["edges given in one direction only"] == 2


def test_a_self_loop_is_one_edge_and_its_mirror_no_duplicate(tmp_path):
    loop = row("protein_protein", "ppi", TP53, TP53, 0, 0)
    tables = read_primekg(write(tmp_path, loop, loop, loop))
    assert tables.edges.num_rows == 1
    assert (tables.report.counts["self-loops"], tables.report.counts["exact duplicate rows"]) == (1, 1)


def test_absent_relations_are_negated(tmp_path):
    tables = read_primekg(write(tmp_path, row("disease_phenotype_negative", "phenotype absent", LUNG, SCC_HP),
                                row("disease_phenotype_positive", "phenotype present", SCC, SCC_HP)))
    assert dict(zip(tables.edges["relation"].to_pylist(), tables.edges["negated"].to_pylist(), strict=True)) == {
        "disease_phenotype_negative": True, "disease_phenotype_positive": False}


def test_the_order_of_the_rows_does_not_matter(tmp_path, monkeypatch):
    from pathkg.sources import mirrors as module

    there, back = row("disease_protein", "associated with", TP53, LUNG), row("disease_protein", "associated with",
                                                                             LUNG, TP53)
    rows = [there, row("drug_protein", "target", "DB1,drug,a,DrugBank", TP53), *ROWS[2:], back,
            row("protein_protein", "ppi", TP53, TP53)]
    plain = read_primekg(write(tmp_path, *rows))

    def listed(tables):
        ids = tables.nodes["id"].to_pylist()
        return [{**e, "subject": ids[e["subject"]], "object": ids[e["object"]]} for e in tables.edges.to_pylist()]

    want = listed(plain)
    assert listed(read_primekg(write(tmp_path, *rows[1:3], rows[4], rows[0], rows[3]))) == want
    monkeypatch.setattr(module, "_SORT_BITS", 0)  # the way for files too large for packed keys
    again = read_primekg(write(tmp_path, *rows))
    assert listed(again) == want
    assert again.report.counts == plain.report.counts


# -- names and ids ---------------------------------------------------------------------------------------------


def test_one_id_two_names_is_one_node_with_a_synonym(tmp_path):
    nd2, mtnd2 = "4536,gene/protein,ND2,NCBI", "4536,gene/protein,MT-ND2,NCBI"
    tables = read_primekg(write(tmp_path, row("protein_protein", "ppi", nd2, TP53),
                                row("protein_protein", "ppi", mtnd2, TP53)))
    assert tables.nodes.num_rows == 2
    assert tables.forms["form"].to_pylist() == ["MT-ND2"]
    assert tables.report.repaired["id with a second name, kept as a synonym"] == 1


def test_names_that_differ_in_case_only_stay_two_nodes(tmp_path):
    tables = read_primekg(write(tmp_path, row("disease_phenotype_positive", "phenotype present", SCC, SCC_HP)))
    assert set(tables.nodes["name"].to_pylist()) == {"squamous cell carcinoma", "Squamous cell carcinoma"}


def test_commas_quotes_and_non_ascii_survive(tmp_path):
    odd = '"1,2-""dimethyl"" Sjögren’s, β"'
    tables = read_primekg(write(tmp_path, row("indication", "indication", f"DB1,drug,{odd},DrugBank", LUNG)))
    assert '1,2-"dimethyl" Sjögren’s, β' in tables.nodes["name"].to_pylist()


# -- the same rows in every container --------------------------------------------------------------------------

ROWS = (row("disease_protein", "associated with", TP53, LUNG), row("disease_protein", "associated with", LUNG, TP53),
        row("disease_phenotype_positive", "phenotype present", SCC, SCC_HP))


@pytest.mark.parametrize("form", ["csv", "gz", "zst", "parquet", "crlf", "mixed", "reordered", "no index", "extra",
                                  "tab", "bom", "no final newline"])
def test_containers_and_column_orders(tmp_path, form):
    plain = write(tmp_path, *ROWS)
    want = pairs(read_primekg(plain))
    path = tmp_path / "other.csv"
    text = plain.read_text()
    lines = text.splitlines()
    if form == "gz":
        path = tmp_path / "kg.csv.gz"
        path.write_bytes(gzip.compress(text.encode()))
    elif form == "zst":
        path = tmp_path / "kg.csv.zst"
        with pa.output_stream(str(path), compression="zstd") as out:
            out.write(text.encode())
    elif form == "parquet":
        path = tmp_path / "kg.parquet"
        pq.write_table(pa_csv.read_csv(plain), path)
    elif form == "crlf":
        path.write_bytes(text.replace("\n", "\r\n").encode())
    elif form == "mixed":
        path.write_bytes((lines[0] + "\r\n" + lines[1] + "\n" + lines[2] + "\r" + lines[3] + "\n").encode())
    elif form == "reordered":
        path.write_text("\n".join(",".join(reversed(line.split(","))) for line in lines) + "\n")
    elif form == "no index":
        path.write_text("\n".join(",".join(f for i, f in enumerate(line.split(",")) if i not in (2, 7))
                                  for line in lines) + "\n")
    elif form == "extra":
        path.write_text("\n".join(f"{line},z" for line in lines) + "\n")
    elif form == "tab":
        path.write_text(text.replace(",", "\t"))
    elif form == "bom":
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    elif form == "no final newline":
        path.write_text(text.rstrip("\n"))
    else:
        path = plain
    tables = read_primekg(path)
    assert pairs(tables) == want
    assert not tables.report.dropped


def test_split_form(tmp_path):
    (tmp_path / "nodes.csv").write_text(
        "node_index,node_id,node_type,node_name,node_source\n" + "".join(
            f"{i},{n.split(',')[0]},{','.join(n.split(',')[1:])}\n" for i, n in enumerate((TP53, LUNG, SCC, SCC_HP))))
    (tmp_path / "edges.csv").write_text(
        "relation,display_relation,x_index,y_index\ndisease_protein,associated with,0,1\n"
        "disease_protein,associated with,1,0\ndisease_phenotype_positive,phenotype present,2,3\n"
        "disease_protein,associated with,0,99\n")
    tables = read_primekg(tmp_path)
    assert pairs(tables) == pairs(read_primekg(write(tmp_path / "..", *ROWS, name=f"{tmp_path.name}.csv")))
    assert tables.report.dropped == {"edge to a node that the nodes file lacks": 1}
    assert tables.report.problems[0].line == 5


# -- real files ------------------------------------------------------------------------------------------------


def test_real_rows_of_primekg():
    tables = read_primekg(shared("kg/primekg/arnold117/test_edges.csv"))
    counts = tables.report.counts
    assert counts["rows"] == 7696
    assert counts["rows"] == counts["edges"] + counts["mirror rows folded"] + counts["exact duplicate rows"]
    assert not tables.report.dropped
    assert tables.nodes.num_rows == len(set(tables.nodes["id"].to_pylist()))


def test_real_groups_find_their_members():
    tables = read_primekg(shared("kg/primekg/arnold117/mappings_nodes.csv"))
    assert tables.report.counts["disease groups"] == 943
    ids = tables.nodes["id"].to_pylist()
    of_member = {x: ids[n] for n, x in zip(tables.xrefs["node"].to_pylist(), tables.xrefs["xref"].to_pylist(),
                                           strict=True)}
    assert of_member["MONDO:0010001"] == "MONDO_grouped:10001_19287_23046_23048"
    assert of_member["MONDO:0023048"] == "MONDO_grouped:10001_19287_23046_23048"
    assert tables.report.repaired["id with a second name, kept as a synonym"] == 42


def test_real_types_with_a_blank():
    tables = read_primekg(shared("kg/primekg/PrimeKG-Plus/20260529-literature_nodes_added.csv"))
    assert "cellular_component" in tables.nodes["type"].to_pylist()
    assert tables.report.repaired["node type with a blank for '_'"] == 25


def test_real_ids_that_went_through_a_float_column():
    tables = read_primekg(shared("kg/primekg/TxGNN/disease_files/anemia.csv"))
    assert "MONDO:0016242" in tables.nodes["id"].to_pylist()
    assert tables.report.repaired["id that went through a float column"] == 65


def test_real_group_list_of_txgnn():
    tables = read_primekg(shared("kg/primekg/TxGNN/kg_grouped_diseases_bert_map.csv"))
    groups = [i for i in tables.nodes["id"].to_pylist() if i.startswith("MONDO_grouped:")]
    assert len(groups) > 1000
    assert tables.report.counts["group members"] >= 6392


def test_real_edges_named_by_index():
    tables = read_primekg(shared("kg/primekg/AIAgents4Pharma/ibd_text_graph_edges.parquet"))
    assert (tables.nodes.num_rows, tables.edges.num_rows) == (3426, 6376)
    assert "PRIMEKG.INDEX:144" in tables.nodes["id"].to_pylist()


def test_real_split_form_at_scale():
    tables = read_primekg(shared("kg/openkg"))
    assert (tables.nodes.num_rows, tables.edges.num_rows) == (118_117, 2_165_617)
    assert tables.report.counts["rows"] == 2 * 2_165_617


# -- bad input: a clear error, or rows reported with their line ------------------------------------------------


@pytest.mark.parametrize(("bad", "reason", "line"), [
    ("disease_protein,associated with,0,7157,gene/protein", "row with another number of fields than the header", 3),
    (row("disease_protein", "associated with", "1,genes,TP53,NCBI", LUNG), "a node type that PrimeKG does not have", 3),
    (row("disease_protein", "associated with", "1,gene/protein,TP53,NCB", LUNG),
     "an id source that PrimeKG does not have", 3),
    (row("disease_protein", "associated with", "x,disease,lung,MONDO", LUNG),
     "an id that is not of its source's form", 3),
    (row("", "associated with", TP53, LUNG), "no relation, or one that is not text", 3),
    (row("disease_protein", "associated with", "1,gene/protein,TP\x0053,NCBI", LUNG),
     "a NUL byte or bytes that are not UTF-8", 3),
])
def test_bad_rows_are_dropped_with_their_line(tmp_path, bad, reason, line):
    tables = read_primekg(write(tmp_path, ROWS[0], bad, *ROWS[1:]))
    assert tables.edges.num_rows == 2
    assert tables.report.dropped == {reason: 1}
    assert [(p.file, p.line) for p in tables.report.problems] == [("kg.csv", line)]


def test_bytes_that_are_no_utf8(tmp_path):
    path = write(tmp_path, *ROWS)
    path.write_bytes(path.read_bytes() + row("indication", "indication", "DB1,drug,Dr\udcffg,DrugBank", LUNG).encode(
        "utf-8", "surrogateescape") + b"\n")
    report = read_primekg(path).report
    assert report.dropped == {"a NUL byte or bytes that are not UTF-8": 1}
    assert report.problems[0].line == 5


def test_a_truncated_last_line_is_reported(tmp_path):
    path = write(tmp_path, *ROWS)
    path.write_bytes(path.read_bytes()[:-30])
    tables = read_primekg(path)
    assert sum(tables.report.dropped.values()) == 1
    assert tables.report.problems[0].line == 4


@pytest.mark.parametrize(("content", "message"), [
    (b"", "is empty"), (HEADER.encode() + b"\n", "no rows"), (b"a,b,c\n1,2,3\n", "no column 'relation'"),
    (HEADER.replace("y_source", "y_sourc").encode() + b"\n" + ROWS[0].encode() + b"\n", "did you mean 'y_sourc'"),
])
def test_files_that_are_no_primekg(tmp_path, content, message):
    path = tmp_path / "kg.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_primekg(path)


@pytest.mark.parametrize(("index", "message"), [("one", "invalid value 'one'"), ("-1", "no row numbers"),
                                                ("99999999999", "no row numbers")])
def test_split_form_with_indices_that_are_none(tmp_path, index, message):
    (tmp_path / "nodes.csv").write_text("node_index,node_id,node_type,node_name,node_source\n0,1,disease,a,MONDO\n")
    (tmp_path / "edges.csv").write_text(f"relation,display_relation,x_index,y_index\nr,r,0,{index}\n")
    with pytest.raises(InputError, match=message):
        read_primekg(tmp_path)


def test_damaged_compression(tmp_path):
    path = tmp_path / "kg.csv.gz"
    path.write_bytes(gzip.compress((HEADER + "\n" + "\n".join(ROWS * 2000)).encode())[:-40])
    with pytest.raises(InputError, match=r"damaged|cannot be read"):
        read_primekg(path)


def test_missing_file_names_a_near_one(tmp_path):
    write(tmp_path, *ROWS)
    with pytest.raises(InputError, match=r"did you mean 'kg\.csv'"):
        read_primekg(tmp_path / "kgg.csv")
