"""The spaCy component ``pathkg_linker``: mentions as ``Span._.pathkg``.

``import pathkg.linking.spacy_component`` registers the factory; with spaCy's entry points it is found by name::

    nlp = spacy.blank("en")
    nlp.add_pipe("pathkg_linker", config={"store": None})
    doc = nlp("No perineural invasion.")
    doc.spans["pathkg"][0]._.pathkg    # a pathkg.Mention

A pipe before it that finds abbreviations (scispacy's ``abbreviation_detector``) is used: its short forms are linked
like their long forms.
"""

from __future__ import annotations

from pathkg.errors import MissingExtraError

try:
    from spacy.language import Language
    from spacy.tokens import Doc, Span
except ImportError as error:
    raise MissingExtraError.for_extra("spacy", "nlp") from error

SPANS = "pathkg"
"""Key of ``doc.spans`` that holds the mentions."""


class PathkgLinker:
    """Writes mentions to ``doc.spans["pathkg"]``, each with ``span._.pathkg`` (a :class:`pathkg.records.Mention`)."""

    def __init__(self, store: str | None = None, *, generic: str = "asserted") -> None:
        import pathkg
        from pathkg.linking.matcher import Linker

        self.linker = Linker(pathkg.load(store), generic=generic)  # type: ignore[arg-type]
        if not Span.has_extension("pathkg"):
            Span.set_extension("pathkg", default=None)

    def __call__(self, doc: Doc) -> Doc:
        result = self.linker.link(doc.text)
        spans = []
        for mention in result:
            span = doc.char_span(mention.start, mention.end, label=mention.type, kb_id=mention.id, alignment_mode="expand")
            if span is not None:
                span._.pathkg = mention
                spans.append(span)
        spans += self._abbreviations(doc, {(s.start, s.end): s for s in spans})
        doc.spans[SPANS] = sorted(spans, key=lambda s: (s.start, s.end))
        return doc

    def _abbreviations(self, doc: Doc, known: dict[tuple[int, int], Span]) -> list[Span]:
        """Short forms found by an abbreviation detector, linked like their long forms."""
        found: list[Span] = []
        if not Doc.has_extension("abbreviations"):
            return found
        for short in doc._.abbreviations:
            if (short.start, short.end) in known:
                continue
            for mention in self.linker.link(short._.long_form.text):
                if mention.end >= len(short._.long_form.text) - 1:
                    span = Span(doc, short.start, short.end, label=mention.type, kb_id=mention.id)
                    span._.pathkg = mention
                    found.append(span)
        return found


@Language.factory("pathkg_linker", default_config={"store": None, "generic": "asserted"})
def make_pathkg_linker(nlp: Language, name: str, store: str | None, generic: str) -> PathkgLinker:
    """The factory behind ``nlp.add_pipe("pathkg_linker")``."""
    return PathkgLinker(store, generic=generic)


