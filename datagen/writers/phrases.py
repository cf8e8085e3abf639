"""The words of the template writer: many ways to say each thing, and the grammar they need.

Braces are filled by the writer: ``{F}`` findings (with ``{s}`` the verb ending and ``{are}`` the copula that agree with
them), ``{D}`` the conclusion, ``{note}`` where the graph says so. A capital first letter is put on afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

PRESENT = (
    "The sections show {F}.", "Microscopy shows {F}.", "{F} {are} present.", "{F} {are} described.",
    "The slide shows {F}.", "There {are_first} {F}.", "On examination there {are_first} {F}.", "{F} {are} noted.",
    "Histology demonstrates {F}.", "{F} {are} apparent.", "Seen here {are} {F}.",
    "The tissue displays {F}.", "{F} {are} evident.", "Also seen: {F}.", "Findings comprise {F}.")
ABSENT = (
    "No {F} {is_or} seen.", "There {are_first} no {F}.", "No {F} {is_or} identified.", "{F_and} {are} absent.",
    "{F_and} {are} not identified.", "No evidence of {F}.", "The slide shows no {F}.", "{F_and} {are} not seen.",
    "Without {F}.")
SPECIMEN = (
    "Specimen: {procedure}, {organ}.", "The specimen is {a_procedure} of the {organ}.", "{procedure} ({organ}).",
    "Material from the {organ}, {procedure}.", "{a_procedure} specimen from the {organ} was examined.",
    "Received: {procedure}; site: {organ}.", "Tissue of the {organ} obtained by {procedure}.")
SITE_ONLY = (
    "The tissue is from the {organ}.", "Site: {organ}.", "Material from the {organ} was examined.",
    "The lesion lies in the {organ}.", "Sections of the {organ} were examined.")
SITE_DETAIL = ("Location: {site}.", "Location within the organ: {site}.", "The location given is the {site}.",
               "As to location, the {site} is named.")
PROCEDURE_ONLY = ("Specimen type: {procedure}.", "The material comes from {a_procedure}.", "Procedure: {procedure}.")
SIZE = ("It measures {size}.", "The greatest extent is {size}.", "The lesion measures {size}.",
        "Extent: {size}.", "Up to {size} across.")
NODE_COUNT = ("Node count: {ratio}.", "Nodes examined and involved: {ratio}.", "The count of nodes is {ratio}.")

OPENING = (
    "The specimen, {a_procedure} of the {organ}, sets the field: {ask}.",
    "First the site: the tissue comes from the {organ}, so {ask}.",
    "Start from the material: {organ}, {procedure}; {ask}.",
    "Looking at the {organ}, {ask}.",
    "What is at hand is {a_procedure}, and the organ is the {organ}; {ask}.",
    "The organ is the {organ}, and {ask}.")
OPENING_ASK = (
    "tumors of this site come first to mind", "the usual tumors of this organ have to be weighed",
    "the question is which of its lesions fits", "the range of possible lesions is that of this organ",
    "its own tumor types are the first candidates", "the differential follows from the site")
SITE_CLAIM = (
    "{D} arises in the {organ} ({note}), so site and type agree.",
    "Site and type go together: {D} arises in the {organ} ({note}).",
    "That {D} arises in the {organ} is on record ({note}).")

SUPPORT = (
    "{F} support{s} {D} ({note}).", "{F} favor{s} {D} ({note}).", "{F} point{s} to {D} ({note}).",
    "{F} {are} typical of {D} ({note}).", "{F} speak{s} for {D} ({note}).", "{F} fit{s} {D} ({note}).",
    "{D} is supported by {F} ({note}).", "Here {F} suggest{s} {D} ({note}).",
    "The finding of {F} favors {D} ({note}).", "{F} {are} seen in {D} ({note}).",
    "The slide shows {F}; {F_short} support{s} {D} ({note}).",
    "{F} {are} characteristic of {D} ({note}).", "Here {F} indicate{s} {D} ({note}).",
    "Weight is given to {F}, which argue{s} for {D} ({note}).",
    "Among the findings, {F} point{s} towards {D} ({note}).",
    "{F} {are} associated with {D} ({note}).", "Reading on, {F} {are} in keeping with {D} ({note}).")
SUPPORT_COMMON = (
    "{F} fit{s} {D} ({note}).", "{F} {are} seen in {D} ({note}).", "{F} {are} in keeping with {D} ({note}).",
    "{F} {are} compatible with {D} ({note}).", "{F} {are} consistent with {D} ({note}).",
    "{F} {are} associated with {D} ({note}).", "{F} {are} found in {D} ({note}).",
    "Without deciding it, {F} fit{s} {D} ({note}).", "Reading on, {F} {are} in keeping with {D} ({note}).",
    "Among the findings, {F} {are} compatible with {D} ({note}).", "The finding of {F} fits {D} ({note}).",
    "The slide shows {F}; {F_short} {are} found in {D} ({note}).", "Less specific, {F} {are} associated with {D} ({note}).",
    "{F} {are} expected in {D} ({note}).", "As a lesser point, {F} {are} consistent with {D} ({note}).")
SUPPORT_ASSOCIATED = (
    "{F} {are} associated with {D} ({note}).", "Less specific, {F} {are} associated with {D} ({note}).",
    "As a lesser point, {F} {are} associated with {D} ({note}).")
AGAINST = (
    "{F} argue{s} against {D} ({note}).", "{F} speak{s} against {D} ({note}).",
    "Among the alternatives, {F} argue{s} against {D} ({note}).", "In the differential, {F} speak{s} against {D} ({note}).",
    "{F} {are} not expected in {D} ({note}).", "{F} {are} atypical for {D} ({note}).",
    "Considering mimics: {F} oppose{s} {D} ({note}).", "One rival can be set aside, as {F} argue{s} against {D} ({note}).",
    "A further candidate was weighed; {F} speak{s} against {D} ({note}).",
    "{F} {are} evidence against {D} ({note}).")
AGAINST_ABSENT = (
    "The absence of {F} argues against {D} ({note}).", "Absence of {F} speaks against {D} ({note}).",
    "The lack of {F} argues against {D} ({note}).", "In the differential, the absence of {F} speaks against {D} ({note}).",
    "No {F} {are} found, which argues against {D} ({note}).",
    "That no {F} {is_or} seen argues against {D} ({note}).",
    "Among mimics, the absence of {F} argues against {D} ({note}).")
NOTES = ("graph: {rel}, {source}", "{rel}; {source}", "{rel} by {source}", "{source}: {rel}", "{rel}, source {source}",
         "{rel} in the graph, {source}", "as the graph has it from {source}, {rel}")
RELATION_WORDS = {
    "supports": ("a finding in its favor", "counted in favor", "a supporting finding"),
    "opposes": ("counted against it", "a finding held against it", "opposing finding"),
    "has_morphology": ("typical morphology", "part of its morphology", "known morphology"),
    "has_growth_pattern": ("a known growth pattern", "its growth pattern", "its usual pattern"),
    "has_cytologic_feature": ("its usual cytology", "its cytology", "known cytology"),
    "has_stromal_feature": ("known in its stroma", "its stroma", "its usual stroma"),
    "stains_positive_for": ("expected staining", "its usual immunoprofile", "expected positive stain"),
    "stains_negative_for": ("expected lack of staining", "its usual immunoprofile", "expected negative stain"),
    "has_genetic_alteration": ("a recurrent alteration", "known genetics", "its genetics"),
    "invades": ("a structure it invades", "a known route of growth", "typical spread"),
    "spreads_to": ("a known site of spread", "a usual station of spread", "typical spread"),
    "precursor_of": ("a known precursor", "precursor lesion", "its precursor"),
    "associated_with": ("a known association", "association on record", "a recorded association"),
    "arises_in": ("usual site", "its site of origin", "site of origin"),
    "has_prognostic_factor": ("a prognostic factor", "bears on prognosis", "prognostic factor on record"),
    "defined_by": ("part of the definition", "its defining finding", "definition of the category"),
    "graded_by": ("its grading system", "a grade used for it", "grading on record"),
    "stage_of": ("its staging", "a category of its staging", "staging on record"),
    "is_a": ("a kind of it", "by classification", "class membership"),
}
VIA_FINDING = ("as a form of {via}", "being a kind of {via}", "read as {via}")
VIA_TARGET = ("known of {via}, its class", "recorded for {via}, the wider class", "inherited from {via}")

DEFINED = (
    "{F} correspond{s} to {D} ({note}).", "{F} qualif{ies} as {D} ({note}).", "{F} by definition mean{s} {D} ({note}).",
    "{F} define{s} {D} ({note}).", "{F} lead{s} to {D} ({note}).", "{F} amount{s} to {D} ({note}).")
DEFINED_SHARED = (
    "{F} fit{s} {D} ({note}).", "{F} {are} compatible with {D} ({note}).", "{F} {are} consistent with {D} ({note}).",
    "{F} {are} in keeping with {D} ({note}).")
IN_ORGAN = ("In the {organ}, {said}", "For the {organ}: {said}", "As staged and graded in the {organ}, {said}")
AS_REPORTED_T = ("This is {D}.", "For the primary tumor the category is {D}.",
                 "The category is {D}.", "As to extent, the tumor is {D}.")
AS_REPORTED_N = ("For the nodes the category is {D}.", "The nodal category is {D}.",
                 "As to the nodes, this is {D}.")
AS_REPORTED_GROUP = ("Overall this is {D}.", "The stage group is {D}.")
AS_REPORTED_GRADE = ("The tumor is {D}.", "As to grade, it is {D}.", "Its grade is {D}.", "Differentiation and grade: {D}.",
                     "The tumor is reported as {D}.", "The report calls the tumor {D}.")
GRADE_SEEN = ("Graded {D}.", "{D}.", "The differentiation is {D}.")
PROGNOSTIC_PRESENT = (
    "{F} {are} present and {bear} on prognosis ({note}).", "Of prognostic weight: {F} ({note}).",
    "For the outlook, {F} matter{s} ({note}).", "{F} {are} seen, a point for prognosis ({note}).")
PROGNOSTIC_ABSENT = (
    "There {is_or} no {F}, a point for prognosis ({note}).", "No {F} {is_or} seen, which bears on prognosis ({note}).",
    "{F_and} {are} absent; this bears on prognosis ({note}).")
STATED_DIAGNOSIS = (
    "The diagnosis is {D}.", "The diagnosis that remains is {D}.", "As a whole this is {D}.",
    "The picture is that of {D}.", "This makes it {D}.")
GIVEN_DIAGNOSIS = (
    "The tumor is {D}.", "The setting is {D}.", "The tumor type is {D}.", "The lesion in question is {D}.",
    "The background for the question is {D}.", "What is known of the tumor: {D}.", "The question concerns {D}.")
CONCLUSION = (
    "Taken together, {F} fit{s} {D} best.", "In sum, {F} support{s} {D}.", "On balance {F} point{s} to {D}.",
    "So {F} lead{s} to {D}.", "All in all, {F} favor{s} {D}.", "Weighing this, {F} indicate{s} {D}.",
    "The combination of {F} supports {D}.", "Overall {F} {are} consistent with {D}.")
STATED_FINDING = (
    "Seen outright: {quote}.", "There is {quote}.", "In words: {quote}.")

ANSWER_FULL = (
    "{Organ}: {D}{grade}.{stage}", "{D} of the {organ}{grade}.{stage}", "Diagnosis: {D}, {organ}{grade}.{stage}",
    "{D} ({organ}){grade}.{stage}", "{Organ}, {D}{grade}.{stage}")
ANSWER_NO_ORGAN = ("{D}{grade}.{stage}", "Diagnosis: {D}{grade}.{stage}", "The diagnosis is {D}{grade}.{stage}")
ANSWER_JOIN = (", {grade}", "; grade: {grade}", ". Grade: {grade}", ", graded {grade}")
ANSWER_STAGE = (" Stage: {stage}.", " Pathologic stage {stage}.", " Staged {stage}.", " {stage}.")
ANSWER_GROUP = (" Staged {stage}.", " Staging: {stage}.", " Together {stage}.", " {stage}.")
ANSWER_GIVEN = ("{A}.", "{A}.", "Answer: {A}.", "In short: {A}.")
ANSWER_SUBTYPE = ("{D}.", "The histologic type is {D}.", "Histologic type: {D}.", "It is {D}.", "This is {D}.")
ANSWER_GRADE = ("{D}.", "The grade is: {D}.", "Grade: {D}.", "The tumor is {D}.")
ANSWER_STAGING = ("{D}.", "The category is {D}.", "Pathologic category: {D}.", "It is staged {D}.")
ANSWER_PRESENT = ("{F} {are} present.", "Yes: {F} {are} present.", "Present: {F}.", "{F} {are} identified.")
ANSWER_ABSENT = ("No {F} {is_or} seen.", "{F_and} {are} absent.", "There {are_first} no {F}.", "No {F} {is_or} identified.")
STAINS = ("", "", "Stains: ", "Markers: ", "On staining, ", "Special studies: ", "As to markers, ", "Also, ")
STAIN_JOINS = (", ", "; ", " and ", ", and ")
RESULT = ("{F}.", "Among the tests, {F}.", "Here {F}.", "As to the test, {F}.")
ANSWER_MARKER = ("{F}.", "Result: {F}.", "The tumor is {F}.", "The result is {F}.")

COUNTABLE = frozenset(["pearl", "bridge", "gland", "nest", "node", "nodule", "cell", "body", "bodies", "granule", "figure", "vacuole", "droplet", "papilla", "rosette", "island", "cord", "sheet", "tubule", "follicle", "margin", "calcification", "mitosis", "inclusion", "globule", "lymphocyte", "macrophage", "neutrophil", "plasma", "nucleolus", "nucleus", "groove", "cyst", "fiber", "fibre", "trabecula", "whorl", "implant", "deposit", "adhesion", "focus", "infiltrate", "vessel", "microcalcification", "emboli", "embolus", "polyp", "ulcer", "stricture", "septum", "septa", "foci", "stain"])
ARTICLE = frozenset(["pattern", "growth", "component", "border", "surface", "architecture", "arrangement", "stroma", "reaction", "background", "appearance", "configuration", "response", "capsule", "tract", "mass", "lesion", "type", "variant", "feature", "nodule", "ulcer"])
UNCHANGED = frozenset(["cells", "nuclei", "nucleoli", "mitoses", "bodies", "foci", "septa", "papillae", "emboli", "metastases", "margins"])
_IRREGULAR = {"nucleus": "nuclei", "nucleolus": "nucleoli", "mitosis": "mitoses", "papilla": "papillae",
              "embolus": "emboli", "focus": "foci", "septum": "septa", "body": "bodies", "trabecula": "trabeculae"}
_OF = re.compile(r"(?<=\w) (?:of|in|with|to|by|on|from|within|through|at|for|around) ")
_VOWEL = re.compile(r"[aeio]|u(?!ni[lqfcv]|s[ue]|ter|re|ro)", re.IGNORECASE)


def noun(name: str, *, absent: bool = False) -> tuple[str, bool]:
    """A node name as it stands in a sentence, and whether the verb is plural.

    Example:
        >>> noun("keratin pearl"), noun("solid pattern"), noun("necrosis"), noun("solid pattern", absent=True)
        (('keratin pearls', True), ('a solid pattern', False), ('necrosis', False), ('solid pattern', False))
    """
    of = _OF.search(name)
    if of is not None:  # "septum formation in tumor": the verb agrees with the formation
        head, plural = noun(name[:of.start()], absent=absent)
        return head + name[of.start():], plural
    last = name.rsplit(" ", 1)[-1].lower()
    if last in UNCHANGED or (last.endswith("s") and not last.endswith(("ss", "us", "is"))):
        return name, True
    if last in COUNTABLE:
        return name[:len(name) - len(last)] + _IRREGULAR.get(last, f"{last}s"), True
    if last in ARTICLE and not absent:
        return article(name), False
    return name, False


def article(name: str) -> str:
    """``name`` with ``a`` or ``an``.

    Example:
        >>> article("ossification"), article("ulcerated mass"), article("urothelial lesion"), article("lobectomy")
        ('an ossification', 'an ulcerated mass', 'a urothelial lesion', 'a lobectomy')
    """
    return f"{'an' if _VOWEL.match(name) else 'a'} {name}"


def without_word(templates: Sequence[str], name: str, word: str = "grade") -> tuple[str, ...]:
    """The templates that do not say ``word`` once more when the name says it.

    Example:
        >>> without_word(("The grade is {D}.", "The tumor is {D}."), "FIGO grade 1")
        ('The tumor is {D}.',)
    """
    if "differentiated" in name.lower():
        word = "differentiation"
    elif word not in name.lower():
        return tuple(templates)
    said = re.compile(rf"\b(?:{word}|differentiation)", re.IGNORECASE)
    return tuple(t for t in templates if not said.search(t.replace("{grade}", ""))) or tuple(templates)


def listed(items: Sequence[str], word: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``.

    Example:
        >>> listed(["necrosis", "mitoses", "atypia"], "or")
        'necrosis, mitoses or atypia'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def sentence(text: str) -> str:
    """``text`` with a capital first letter; words that carry their own capitals stay (``pT2``, ``p40 positive``).

    Example:
        >>> sentence("keratin pearls are seen."), sentence("pT2 applies."), sentence("p40 positivity is seen.")
        ('Keratin pearls are seen.', 'pT2 applies.', 'p40 positivity is seen.')
    """
    first = text.split(" ", 1)[0]
    if any(c.isupper() for c in first) or (first[:1] == "p" and first[1:2].isdigit()):
        return text
    return text[:1].upper() + text[1:]
