"""The licence chain: what the samples contain, under which terms it came, and what follows for publishing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.output.atomic import read_json
from pathkg.errors import InputError

UNKNOWN = frozenset({"", "unknown", "none", "none stated", "n/a", "unspecified", "?"})
NON_COMMERCIAL = ("-nc", "noncommercial", "non-commercial")
NO_DERIVATIVES = ("-nd", "no derivatives", "unaltered")


@dataclass(frozen=True, slots=True)
class Link:
    """One source in the chain: ``role`` is ``cases``, ``graph``, ``model`` or ``software``."""

    role: str
    name: str
    licence: str

    @property
    def known(self) -> bool:
        return self.licence.strip().lower() not in UNKNOWN

    def to_dict(self) -> dict[str, str]:
        return {"role": self.role, "name": self.name, "licence": self.licence}


def chain(manifest: Mapping[str, Any], *, cases_licence: str = "", model_licence: str = "") -> list[Link]:
    """The licence chain of a dataset.

    Args:
        manifest: of the run; names the graph's sources with their licences.
        cases_licence: of the cases, which only the user knows.
        model_licence: terms on what the model wrote; needed when a model wrote.
    """
    links = [Link("cases", str(manifest["input"]["name"]), cases_licence)]
    for source in manifest["graph"]["sources"]:
        links.append(Link("graph", str(source.get("name") or source.get("id") or "source"),
                          str(source.get("licence") or source.get("license") or "")))
    model = (manifest.get("llm") or {}).get("model", "")
    if model and str(manifest["writer"]).startswith("llm"):
        links.append(Link("model", model, model_licence))
    links.append(Link("software", "pathkg", "Apache-2.0"))
    return links


def require_known(links: Iterable[Link]) -> None:
    """Refuse to go on while a licence in the chain is unknown.

    Raises:
        InputError: names what lacks a licence.
    """
    unknown = [link for link in links if not link.known]
    if unknown:
        options = {"cases": "--cases-licence SPDX", "model": "--model-licence TERMS",
                   "graph": "rebuild the store with sources whose licence is recorded"}
        shown = ", ".join(f"{link.role} {link.name!r}" for link in unknown)
        raise InputError(f"the licence of {shown} is unknown, so the dataset cannot be exported for publication",
                         hint="; ".join(dict.fromkeys(options.get(link.role, "state it") for link in unknown))
                              + "; or leave --publish out to export for use at home")


def conditions(links: Iterable[Link]) -> list[str]:
    """What follows from the chain, in words."""
    links = list(links)
    found = [f"{link.name} ({link.licence}) excludes commercial use; so does the dataset."
             for link in links if any(mark in link.licence.lower() for mark in NON_COMMERCIAL)]
    found += [f"{link.name} ({link.licence}) restricts changed copies; check its terms before sharing."
              for link in links if any(mark in link.licence.lower() for mark in NO_DERIVATIVES)]
    found += [f"{link.name} ({link.licence}) asks for attribution." for link in links if "by" in link.licence.lower().split("-")
              or "cc by" in link.licence.lower()]
    return found


def read_overrides(path: str | None) -> dict[str, str]:
    """Licences stated by the user for sources that came without: ``{"source": "SPDX"}``."""
    return {} if path is None else {str(k): str(v) for k, v in read_json(Path(path)).items()}
