"""Context rules of forms: when may this form mean this node?

A rule is ``;``-joined: ``case=upper`` (written in capitals), ``case=exact`` (written as in the form),
``near=word|word`` (one occurs in the text), ``not=word|word`` (none does), ``organ=CURIE|CURIE`` (the text is
about one of these organs), ``prior=0.3`` (weight among several owners), ``named`` (a report holds the words of the concept's
name elsewhere), ``scope=all`` (never in a report). ``type=`` is kept for the reader.
"""

from __future__ import annotations

from dataclasses import dataclass

from pathkg.linking.tokens import form_key


@dataclass(frozen=True, slots=True)
class Rule:
    """A parsed context rule. ``near`` and ``without`` are keys of canonical tokens."""

    text: str
    upper: bool = False
    exact: str = ""
    near: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    organs: tuple[str, ...] = ()
    prior: float = 1.0
    named: bool = False
    never_in_reports: bool = False


def parse_rule(text: str) -> Rule:
    """Parse a rule. Unknown conditions are ignored: they are notes for the reader.

    Example:
        >>> parse_rule("case=upper;near=breast|ductal;prior=0.5").near
        ('breast', 'ductal')
    """
    parts: dict[str, str] = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    case = parts.get("case", "")

    def keys(name: str) -> tuple[str, ...]:
        return tuple(key for key in (form_key(word) for word in parts.get(name, "").split("|")) if key)

    return Rule(text=text, upper=case == "upper", exact=case.split(":", 1)[1] if case.startswith("exact:") else "",
                near=keys("near"), without=keys("not"),
                organs=tuple(o for o in parts.get("organ", "").split("|") if o),
                prior=float(parts.get("prior", "1") or 1), named="named" in text.split(";"),
                never_in_reports=parts.get("scope") == "all")
