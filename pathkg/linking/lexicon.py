"""The compiled lexicon: every surface form of a graph in a static trie with numpy arrays beside it.

A folder ``lexicon/`` in the store holds::

    meta.json            version, counts, the distinct context rules
    forms.marisa         form keys ("invasive ductal carcinoma") -> key id
    words.marisa         the distinct tokens of all keys -> word id
    bags.marisa          sorted words of a key, tab, key id -> bag id; bag_key.npy gives the key id back
    post_start.npy, post_key.npy   word id -> ids of the keys that hold the word
    key_start.npy        int32 (keys + 1): entries of a key are rows key_start[k] : key_start[k + 1]
    entry_node.npy       int32: node index of each entry
    entry_kind.npy       uint8: index into KINDS
    entry_context.npy    int32: index into the context rules of meta.json (0 = none)
    word_count.npy       int32: in how many keys a word occurs; 0 in a merged store for words that the core has not, which
                         no misread word is taken for
    delete_hash.npy      uint32, sorted: hashes of every word with up to one letter left out
    delete_word.npy      int32: the word each hash came from

All arrays are mapped, so processes share their pages and opening costs next to nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import marisa_trie
import numpy as np
import numpy.typing as npt

from pathkg.errors import StoreError
from pathkg.linking.outside import is_core, is_only_core, rule_of
from pathkg.linking.spelling import ORDINARY
from pathkg.linking.tokens import key_word, split

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

LEXICON_VERSION = 13
KINDS = ("name", "exact", "abbreviation", "narrow", "related", "broad")
"""Kinds of forms, the most trusted first."""

MAX_FORM_TOKENS = 14
"""Longer forms are definitions rather than names and never occur in text."""

# forms that carry their own negation ("no necrosis") would hide the finding from the assertion step
_NEGATED_FORM = re.compile(r"^(no|not|without|absence|absent|negative|free|uninvolved|lack|suspicious for|suspected|possible|history of) |"
                           r" (negative for|free of|not identified|not seen|not involved|absent|uninvolved)( |$)")
_DELETE_WORD_LENGTHS = (5, 24)
_CALLED_SO = KINDS.index("exact")
_ARTICLES = frozenset({"the", "a", "an", "The"})
_ENTRY_CACHE = 50_000
_LITTLE = frozenset({"of", "the", "and", "in", "with", "to", "for", "by", "due", "a", "an", "type", "or", "on", "from"})
_COMMA_TAILS = frozenset({"type", "nos", "variant", "subtype", "grade"})
_ARRAYS = ("key_start", "entry_node", "entry_kind", "entry_context", "word_count", "delete_hash", "delete_word",
           "bag_key", "post_start", "post_key")


def variants(form: str) -> list[str]:
    """The keys of a form: as written, without commas and brackets, and turned round at a comma.

    Example:
        >>> variants("carcinoma, squamous cell")
        ['carcinoma , squamous cell', 'squamous cell carcinoma']
        >>> variants("adenocarcinoma (NOS)")
        ['adenocarcinoma ( nos )', 'adenocarcinoma nos']
    """
    tokens = [key_word(t) for t in split(form)[0] if t not in _ARTICLES]
    if not tokens or len(tokens) > MAX_FORM_TOKENS:
        return []
    keys = [" ".join(tokens)]
    if _NEGATED_FORM.search(keys[0]):
        return []
    plain = [t for t in tokens if t[0].isalnum() or t in "+%<>"]
    if len(plain) != len(tokens):
        if tokens.count(",") == 1 and "(" not in tokens and tokens[-1] not in _COMMA_TAILS:
            at = tokens.index(",")
            turned = tokens[at + 1:] + tokens[:at]
            if turned and tokens[at + 1:]:
                keys.append(" ".join(turned))
        else:
            keys.append(" ".join(plain))
    elif len(tokens) > 2 and (tokens[-1] in _COMMA_TAILS or tokens[-2] in _COMMA_TAILS):
        # "papillary renal cell carcinoma type 1" is also written with a comma before "type 1"
        at = len(tokens) - (1 if tokens[-1] in _COMMA_TAILS and tokens[-1] == "nos" else 2)
        keys.append(" ".join([*tokens[:at], ",", *tokens[at:]]))
    return [key for key in dict.fromkeys(keys) if key]


def _is_acronym(form: str) -> bool:
    """Whether a form is an acronym that is an English word, or too short to be safe, in small letters."""
    if not (form.isupper() and form.replace("-", "").isalnum() and len(form) <= 6):
        return False
    return len(form) <= 3 or form.lower() in ORDINARY


def deletions(word: str) -> list[str]:
    """``word`` and every string made from it by leaving out one letter (the index of near spellings)."""
    return [word, *{word[:i] + word[i + 1:] for i in range(len(word))}]


def hash_of(text: str) -> int:
    """A hash that is the same in every process."""
    return zlib.crc32(text.encode())


def compile_lexicon(graph: KnowledgeGraph, folder: str | os.PathLike[str]) -> Path:
    """Compile the surface forms of ``graph`` into ``folder`` (written aside, then renamed).

    Raises:
        StoreError: the folder cannot be written.
    """
    target = Path(folder)
    working = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        working.mkdir(parents=True)
        _compile(graph, working)
        if target.exists():
            shutil.rmtree(target, ignore_errors=True)
        try:
            working.rename(target)
        except OSError:
            if not (target / "meta.json").is_file():  # else another process was faster, with the same content
                raise
    except OSError as error:
        raise StoreError(f"cannot write the lexicon {target}: {error.strerror or error}",
                         hint="check free disk space and permissions") from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return target


def _compile(graph: KnowledgeGraph, folder: Path) -> None:
    table = graph.synonyms_table()
    contexts: dict[str, int] = {"": 0}
    kind_code = {kind: code for code, kind in enumerate(KINDS)}
    rows: dict[str, dict[tuple[int, int], int]] = {}
    known: dict[str, str] = {}
    from_core = [is_core(source or "") for source in table["source"].to_pylist()]
    merged = any(from_core) and not is_only_core(graph.manifest)
    types = [graph.node_types[code] for code in graph.arrays.node_type.tolist()] if merged else []
    core_words: frozenset[str] = frozenset()
    own: set[str] = set()  # keys that the core's forms own without a condition
    forms = list(zip(table["node"].to_pylist(), table["form"].to_pylist(), table["kind"].to_pylist(),
                     table["context"].to_pylist(), from_core, strict=True))
    if merged:
        forms.sort(key=lambda row: not row[4])
        core_words = frozenset(word for row in forms if row[4] for key in variants(row[1]) for word in key.split(" "))
    for node, form, kind, context, ours in forms:
        code = kind_code.get(kind or "exact", 1)
        # the key forgets how the form was written, so a rule that asks for it carries it along
        context = (context or "").replace("case=exact", f"case=exact:{form}")
        outside = merged and not ours
        if not context and (_is_acronym(form) or (code and len(form) <= 4 and form in ORDINARY)):
            context = "case=upper"  # "WAS" is a syndrome, "was" is not
        for key in variants(form):
            condition = context
            if outside:
                if key in own:
                    continue
                more = rule_of(form, key, kind or "exact", types[node], core_words)
                if more is None:
                    continue
                condition = ";".join(filter(None, (context, more)))
            elif merged and not context:
                own.add(key)
            rule = contexts.setdefault(condition, len(contexts))
            entry = rows.setdefault(known.setdefault(key, key), {})
            # of one node's equal keys the most trusted kind counts; a form without a rule beats one with
            previous = entry.get((node, rule))
            if previous is None or code < previous:
                entry[(node, rule)] = code
    _drop_sided(rows, graph.nodes_table()["name"].to_pylist())
    _drop_graded_tumours(rows, graph.arrays.node_type == _type_code(graph, "grade"))
    trie = marisa_trie.Trie(rows)
    ordered = sorted(rows.items(), key=lambda item: trie[item[0]])
    counts = np.fromiter((len(entries) for _, entries in ordered), np.int32, len(ordered))
    key_start = np.zeros(len(ordered) + 1, np.int32)
    np.cumsum(counts, out=key_start[1:])
    # of a disease and a finding with one name (MONDO and HPO share many) the disease comes first
    findings = (graph.arrays.node_type == _type_code(graph, "effect/phenotype")).tolist()
    flat = [(node, code, rule) for _, entries in ordered
            for (node, rule), code in sorted(
                entries.items(), key=lambda e: (e[1] > _CALLED_SO, findings[e[0][0]], e[1], e[0]))]
    matrix = np.array(flat, np.int32).reshape(-1, 3)

    frequency: dict[str, int] = {}
    for key in rows:
        for word in key.split(" "):
            frequency[word] = frequency.get(word, 0) + 1
    words = marisa_trie.Trie(frequency)
    word_count = np.zeros(len(words), np.int32)
    targets = [word for word in frequency if word in core_words] if merged else list(frequency)
    for word in targets:
        word_count[words[word]] = frequency[word]
    hashes, owners = _delete_index(targets, words)
    bags, bag_keys, post_start, post_key = _word_index(ordered, trie, words)

    trie.save(str(folder / "forms.marisa"))
    words.save(str(folder / "words.marisa"))
    bags.save(str(folder / "bags.marisa"))
    for name, array in (("key_start", key_start), ("entry_node", matrix[:, 0].astype(np.int32)),
                        ("entry_kind", matrix[:, 1].astype(np.uint8)),
                        ("entry_context", matrix[:, 2].astype(np.int32)), ("word_count", word_count),
                        ("delete_hash", hashes), ("delete_word", owners),
                        ("bag_key", bag_keys), ("post_start", post_start), ("post_key", post_key)):
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array))
    (folder / "meta.json").write_text(json.dumps({
        "version": LEXICON_VERSION, "graph_hash": graph.hash, "keys": len(ordered), "entries": len(flat),
        "words": len(words), "contexts": list(contexts)}, ensure_ascii=False, indent=1, sort_keys=True) + "\n",
        encoding="utf-8")


def _drop_sided(rows: dict[str, dict[tuple[int, int], int]], names: list[str]) -> None:
    """Leave out "left nephrectomy" of a node that has no side in its name where "nephrectomy" is a form itself:
    the side belongs to the mention, not to the concept."""
    for key in [key for key in rows if key.startswith(("left ", "right ", "bilateral "))]:
        side, rest = key.split(" ", 1)
        if rest in rows:
            rows[key] = {entry: code for entry, code in rows[key].items() if side in names[entry[0]].lower()}
            if not rows[key]:
                del rows[key]


_TUMOUR = re.compile(r"(?:carcinoma|sarcoma|tumor|lymphoma|adenoma|glioma|astrocytoma|melanoma|urothelial)s?\b(?! regression)")


def _drop_graded_tumours(rows: dict[str, dict[tuple[int, int], int]], is_grade: Any) -> None:
    """Leave out the forms of grades that hold a tumour's name: "high grade urothelial carcinoma" states a grade and a
    diagnosis, and one mention would swallow the second."""
    for key in [key for key in rows if _TUMOUR.search(key)]:
        rows[key] = {entry: code for entry, code in rows[key].items() if not is_grade[entry[0]]}
        if not rows[key]:
            del rows[key]


def _type_code(graph: KnowledgeGraph, type_: str) -> int:
    return graph.node_types.index(type_) if type_ in graph.node_types else -1


def bag_of(words: Iterable[str]) -> str:
    """The words of a key in sorted order, without the little ones: equal for "cancer of breast", "breast cancer".

    Example:
        >>> bag_of(["cancer", "of", "the", "breast"])
        'breast cancer'
    """
    return " ".join(sorted({w for w in words if w not in _LITTLE and w[0].isalnum()}))


def _word_index(ordered: list[tuple[str, Any]], trie: Any, words: Any) -> tuple[
        Any, npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Bags of words -> key ids where the bag differs from the key, and postings word -> key ids."""
    bag_rows: list[tuple[str, int]] = []
    postings: list[tuple[int, int]] = []
    for key, _ in ordered:
        parts = key.split(" ")
        if len(parts) > 1:
            bag_rows.append((bag_of(parts), trie[key]))
        postings += [(words[w], trie[key]) for w in set(parts)]
    # a bag that several keys share is numbered once per key
    names = marisa_trie.Trie({f"{bag}\t{key_id}" for bag, key_id in bag_rows})
    bag_keys = np.zeros(len(names), np.int32)
    for bag, key_id in bag_rows:
        bag_keys[names[f"{bag}\t{key_id}"]] = key_id
    pairs = np.array(sorted(postings), np.int32).reshape(-1, 2)
    post_start = np.zeros(len(words) + 1, np.int32)
    np.add.at(post_start, pairs[:, 0] + 1, 1)
    return names, bag_keys, np.cumsum(post_start).astype(np.int32), pairs[:, 1].copy()


def _delete_index(words: Iterable[str], trie: Any) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    low, high = _DELETE_WORD_LENGTHS
    hashes: list[int] = []
    owners: list[int] = []
    for word in words:
        if low <= len(word) <= high and word.isalpha():
            number = trie[word]
            for shorter in deletions(word):
                hashes.append(hash_of(shorter))
                owners.append(number)
    hash_array = np.array(hashes, np.uint32)
    owner_array = np.array(owners, np.int32)
    order = np.lexsort((owner_array, hash_array))
    return hash_array[order], owner_array[order]


class Lexicon:
    """A compiled lexicon, opened by memory map. Looks up; does not decide."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = Path(folder)
        try:
            meta = json.loads((self.path / "meta.json").read_text(encoding="utf-8"))
            if meta["version"] != LEXICON_VERSION:
                raise StoreError(f"{self.path} has lexicon version {meta['version']}; this pathkg reads "
                                 f"{LEXICON_VERSION}", hint="delete the folder; it is compiled again from the store")
            self.forms = _map_trie(self.path / "forms.marisa")
            self.words = _map_trie(self.path / "words.marisa")
            self.bags = _map_trie(self.path / "bags.marisa")
            # plain views of the maps: indexing np.memmap itself costs microseconds
            arrays = {name: np.load(self.path / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in _ARRAYS}
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(f"the lexicon {self.path} is missing or broken: {error}",
                             hint="delete the folder; it is compiled again from the store") from error
        self._entries: dict[int, list[tuple[int, int, int]]] = {}
        self.graph_hash: str = meta["graph_hash"]
        self.contexts: tuple[str, ...] = tuple(meta["contexts"])
        self.n_keys: int = meta["keys"]
        self.key_start = arrays["key_start"]
        self.entry_node = arrays["entry_node"]
        self.entry_kind = arrays["entry_kind"]
        self.entry_context = arrays["entry_context"]
        self.word_count = arrays["word_count"]
        self.delete_hash = arrays["delete_hash"]
        self.delete_word = arrays["delete_word"]
        self.bag_key = arrays["bag_key"]
        self.post_start = arrays["post_start"]
        self.post_key = arrays["post_key"]

    def count_of(self, word: str) -> int:
        """In how many forms a word occurs that a misread word may stand for; 0 for any other."""
        return int(self.word_count[self.words[word]]) if word in self.words else 0

    def entries(self, key_id: int) -> list[tuple[int, int, int]]:
        """``(node index, kind code, context code)`` of every owner of a key."""
        known = self._entries.get(key_id)
        if known is not None:
            return known
        if len(self._entries) > _ENTRY_CACHE:
            self._entries.clear()
        start, stop = self.key_start[key_id:key_id + 2].tolist()
        known = self._entries[key_id] = list(zip(
            self.entry_node[start:stop].tolist(), self.entry_kind[start:stop].tolist(),
            self.entry_context[start:stop].tolist(), strict=True))
        return known

    def keys_of_bag(self, bag: str) -> list[int]:
        """Ids of the keys made of these words, in whatever order (see :func:`bag_of`)."""
        return sorted(int(self.bag_key[self.bags[name]]) for name in self.bags.iterkeys(bag + "\t")) if bag else []

    def keys_with_rare_word(self, words: Iterable[str], most: int) -> list[str]:
        """Keys that hold one of the rarest of ``words``, at most ``most`` of them."""
        known = sorted({(int(self.word_count[self.words[w]]), w) for w in words if w in self.words and len(w) > 2})
        found: list[str] = []
        for count, word in known:
            if len(found) + count > most:
                break
            number = self.words[word]
            found += [self.forms.restore_key(k) for k in
                      self.post_key[int(self.post_start[number]):int(self.post_start[number + 1])].tolist()]
        return list(dict.fromkeys(found))

    def near_words(self, word: str) -> list[str]:
        """Words of the lexicon within one deletion on either side of ``word`` (unranked)."""
        found: set[int] = set()
        hashes = np.array([zlib.crc32(shorter.encode()) for shorter in deletions(word)], np.uint32)
        known = self.delete_hash
        starts = known.searchsorted(hashes)
        # one look at all of them: most hashes are those of no word
        hit = known.take(starts, mode="clip") == hashes
        if hit.any():
            for start, value in zip(starts[hit].tolist(), hashes[hit].tolist(), strict=True):
                stop = start + 1
                while stop < len(known) and known[stop] == value:
                    stop += 1
                found.update(self.delete_word[start:stop].tolist())
        return sorted(self.words.restore_key(number) for number in found)


def _map_trie(path: Path) -> marisa_trie.Trie:
    if not path.is_file():
        raise OSError(f"{path.name} is missing")
    return marisa_trie.Trie().mmap(str(path))


def open_lexicon(graph: KnowledgeGraph) -> Lexicon:
    """The lexicon of a graph's store; compiled on first use where the store has none.

    A store that cannot be written gets its lexicon in a temporary folder of this machine's user.
    """
    folder = graph.path / "lexicon"
    if _version(folder) == (LEXICON_VERSION, graph.hash):
        return Lexicon(folder)
    try:
        return Lexicon(compile_lexicon(graph, folder))
    except StoreError:
        spare = Path(tempfile.gettempdir()) / f"pathkg-lexicon-{os.getuid()}" / graph.hash.split(":")[-1][:24]
        if _version(spare) != (LEXICON_VERSION, graph.hash):
            compile_lexicon(graph, spare)
        return Lexicon(spare)


def _version(folder: Path) -> tuple[int, str] | None:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return meta["version"], meta["graph_hash"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
