"""RDF/XML as plain statements with line numbers, forgiving what strict RDF parsers refuse.

PathoML files in the wild hold ids that are no legal XML names (``Phenotype1,000``), several root-level problems and
terms their schema lacks. This reads the XML with Expat, keeps every id as it is written, and goes on behind a
damaged element where the file allows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from pathkg.errors import InputError
from pathkg.sources.delimited import existing, open_binary
from pathkg.sources.tables import ReadReport

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_LEGAL_NAME = re.compile(r"^[^\W\d][\w.\-·]*$")
_ENTITY_DECLARATION = re.compile(rb"<!ENTITY\s+(\S+)\s+\"([^\"]*)\"\s*>")


@dataclass(slots=True)
class Element:
    """One XML element: full tag (``namespace`` + name), attributes by full name, text, children, line."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def get(self, name: str) -> str:
        """An ``rdf:`` attribute, or an empty string."""
        return self.attributes.get(RDF + name, "")

    @property
    def local(self) -> str:
        """The tag without its namespace."""
        return re.split(r"[#/]", self.tag)[-1]

    def find_all(self, local: str) -> list[Element]:
        """Direct children of that local name."""
        return [c for c in self.children if c.local == local]


def read_rdfxml(path: Path, report: ReadReport) -> list[Element]:
    """The elements below ``rdf:RDF``, each with its line.

    A file that breaks off or is damaged is read up to the damage, which is reported with its line.

    Raises:
        InputError: missing or empty file, or no RDF in it at all.
    """
    file = existing(path)
    with open_binary(file) as data:
        content = data.read()
    if b"\x00" in content:
        report.repair("NUL bytes removed", file=file.name, by=content.count(b"\x00"))
        content = content.replace(b"\x00", b"")
    root = Element("", {}, 0)
    stack = [root]
    parser = expat.ParserCreate(namespace_separator="")
    parser.buffer_text = True
    # PathoML declares no external entities; refuse what a hostile file could pull in
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    if len(_ENTITY_DECLARATION.findall(content)) > 200:
        raise InputError(f"{file.name} declares hundreds of entities", hint="this is no PathoML file")

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, parser.CurrentLineNumber)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        stack[-1].text += data

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        report.drop("XML is damaged from here on", file=file.name, line=error.lineno,
                    text=expat.errors.messages[error.code])
    if not root.children or root.children[0].local != "RDF":
        raise InputError(f"{file.name} holds no RDF", hint="PathoML files are RDF/XML; is this one?")
    return root.children[0].children


def is_legal_name(identifier: str) -> bool:
    """Whether an id is a legal XML name (NCName), which strict RDF parsers insist on.

    Example:
        >>> is_legal_name("Phenotype1"), is_legal_name("Phenotype1,000")
        (True, False)
    """
    return bool(_LEGAL_NAME.match(identifier))
