"""The words that decide what a text says about a mention, after ConText, with those of pathology reports.

Each cue is a phrase (given as its canonical tokens), a category and the side of the mentions it governs.
Written for pathology reports; the general clinical ones are common usage since NegEx (Chapman et al. 2001) and
ConText (Harkema et al. 2009).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pathkg.linking.tokens import form_key

# categories; a mention takes the status of the cue that governs it
NEGATED, POSSIBLE, HISTORICAL, UNSPECIFIED, OTHER, AFFIRMED, PSEUDO, BREAK, SECTION = range(9)

# which side of the cue its mentions stand on
AFTER, BEFORE, BOTH, NONE = range(4)


@dataclass(frozen=True, slots=True)
class Cue:
    """One cue phrase.

    Attributes:
        phrase: canonical tokens.
        category: what it says of the mentions it governs.
        side: where they stand.
        reach: the longest distance in tokens at which it still governs a mention.
        existence: whether it denies that something is there; the others deny a finding in it, and leave a place
            or procedure as it is ("margins are negative").
    """

    phrase: str
    category: int
    side: int
    reach: int
    existence: bool


def _lines(block: str) -> list[str]:
    return [line.strip() for line in block.replace("|", "\n").splitlines() if line.strip()]


_TABLE: list[tuple[int, int, int, bool, str]] = [
    (NEGATED, AFTER, 40, True, """
        no|without|absence of|absent|devoid of|lack of|lacks|lacking|denies|denied|denying
        no history of|no prior history of|no past history of|no known history of|no previous|no prior|no known
        no evidence of|no evidence for|no histologic evidence of|no histological evidence of|no definite
        no definite evidence of|no definitive evidence of|no morphologic evidence of|no microscopic evidence of
        no gross evidence of|no residual|no sign of|no signs of|no suggestion of|no suspicious|no obvious|no identifiable
        no diagnostic evidence of|no conclusive evidence of|no significant|no malignant|no new|no other|no further|no more
        no diagnostic|not identified|
        negative for evidence of|fails to reveal|fails to show|failed to reveal|failed to show|fails to demonstrate
        failed to demonstrate|does not show|do not show|did not show|does not reveal|do not reveal|did not reveal
        does not contain|do not contain|does not demonstrate|do not demonstrate|did not demonstrate|does not have
        does not exhibit|do not exhibit|
        rather than|instead of|neither|nor|never had|never
        no longer|cannot see|not demonstrate|not show|not reveal|not have|not appear|ruled out|rule him out
        rule her out|rule the patient out|excludes|excluding|no cause of|no abnormal|no complaints of|not complain of
        not know of|not feel|not exhibit|not see|not had|
        is without|not associated with
        non diagnostic of|nondiagnostic of|insufficient evidence of|insufficient for|not diagnostic of|not diagnostic for
        not consistent with|not compatible with|not suggestive of|not indicative of|not supportive of|argues against
        argue against|speaks against|loss of|zero|arguing against|argued against|speaking against|speak against
        militates against|militating against|weighs against|against a diagnosis of|against the diagnosis of
        not contain|not contained|not support|none of|no findings of|no findings to indicate|no mammographic evidence of
        no radiographic evidence of|no evidence to suggest|without evidence of|without any evidence of|without indication of
        without sign of|without any|not to be|not to have|never developed|declined|declines|no increased|patient was not
        no expression of|no immunoreactivity for|no reactivity for|no positivity for|no staining for|not express|not expressing|without expression of
        lack expression of|lacks expression of|loss of expression of|absence of expression of|lack of expression of|fails to express|fail to express
        do not express|does not express|did not express|negative staining for|non reactive for|nonreactive for|loss of nuclear expression of
        cannot be classified as|not classified as|does not qualify as|not qualify as|not meet criteria for|does not meet criteria for
        does not meet the criteria for|not meeting criteria for|short of
        nothing to suggest|nothing to indicate|nothing to support|nothing suspicious for|nothing suggestive of|nothing diagnostic of
        with no definite|no invasive|no in situ|neg for|neg|no viable|no recognizable|no unequivocal|no convincing
    """),
    (NEGATED, BEFORE, 12, True, """
        searched for but not identified|searched for but not found|searched for and not identified|searched for and not found
        sought but not found|sought but not identified|looked for but not found|looked for but not identified|looked for but not seen
        not identified|not seen|not present|not found|not observed|not noted|not detected|not evident|not appreciated
        not demonstrated|not visualized|not visible|not apparent|not recognized|not discerned|not discernible
        absent|is absent|are absent|none identified|none seen|none found|none noted|not grossly seen|not grossly present
        none present|none detected|none submitted|none received|none included|none sampled|not included|not sampled|not palpable|not represented|not recovered
        not definitely identified|not definitively identified|not clearly identified|not grossly identified|is ruled out
        are ruled out|was ruled out|were ruled out|ruled out|has been ruled out|have been ruled out|unlikely|is not present
        are not present|is lacking|are lacking|not submitted|not received|cannot be identified|cannot be seen|cannot be found
        cannot be demonstrated|could not be identified|could not be found|cannot be appreciated|could not be demonstrated
        is excluded|are excluded|was excluded|no longer present|is denied|not supported|not definite|not recognizable
        not convincingly identified|not confirmed|not appear to be present|has not been identified|have not been identified
        not a feature|is not a feature|are not a feature|are not features|not readily identified|not microscopically identified|not unequivocally identified|not identifiable|not evident
        is not identified|are not identified|was not identified|were not identified|is not seen|are not seen|was not seen
        were not seen|is not found|are not found|was not found|were not found|not obvious|not established|not appreciable
    """),
    (NEGATED, BEFORE, 8, False, """
        uninvolved|is uninvolved|are uninvolved|is negative|are negative|was negative|were negative|not involved|not invaded
        not infiltrated|not invade|not reached|is not reached|free|is free|are free|not expressed|not amplified|not increased
        undetected|undetectable|not involving|not overexpressed|not penetrated|not breached|is intact|not affected
    """),
    # these deny a finding in a place, not the place
    (NEGATED, AFTER, 40, False, "free of|clear of|uninvolved by|not involved by|uninvolved with|not involved with|does not appear to involve|does not involve|do not involve|does not invade|does not extend into|does not extend|do not extend|does not infiltrate|does not penetrate|not invading|not involving|does not appear to invade|does not appear to extend|not extending|free from|unaffected by|spared by|not infiltrated by|not affected by|negative for|unremarkable for"),
    (NEGATED, AFTER, 0, False, "non"),
    (NEGATED, AFTER, 4, True, "not|nor"),
    (NEGATED, AFTER, 1, True, "cannot be|can not be|could not be"),
    (NEGATED, BEFORE, 8, True, "has been excluded|have been excluded|can be excluded|were excluded"),
    (NEGATED, BEFORE, 3, False, "excluded"),
    (NEGATED, AFTER, 0, False, "negative"),
    # in "X: value" and in short statements the value stands alone
    (NEGATED, BEFORE, 3, True, "no|none|nil|zero|not|n"),
    (NEGATED, BEFORE, 3, False, "negative|neg|nonreactive|non reactive|unremarkable"),
    (NEGATED, BEFORE, 1, False, "(-)|(–)"),
    (AFFIRMED, BEFORE, 1, True, "(+)"),
    (AFFIRMED, BEFORE, 3, True, "y"),
    (POSSIBLE, AFTER, 14, True, """
        possible|possibly|probable|probably|suspicious for|suspicious of|suspected|suspect|suspicion of|suspicion for
        cannot rule out|can not rule out|cannot exclude|can not exclude|could not rule out|could not exclude|cannot be excluded
        not rule out|not exclude|does not exclude|not ruled out|rule out|r o|favor|favors|favored|favoring|consistent with|compatible with
        suggestive of|suggesting|suggest|suggests|suggestion of|may represent|could represent|might represent|may be|might be|could be
        may have|may reflect|likely|most likely|likely represents|likely representing|presumed|presumably|presumptive
        questionable|equivocal for|indeterminate for|concerning for|concern for|worrisome for|in keeping with|indicative of
        indeterminate|equivocal|versus|vs|differential diagnosis includes|differential diagnosis|differential includes
        raises the possibility of|raise the possibility of|possibility of|appears to be|appear to be|appears to
        borderline for|atypical suspicious for|query|perhaps|what must be presumed to be|is to be ruled out for
        should be ruled out for|be ruled out for|evaluate for|to evaluate for|worrisome|potential|potentially
        highly suggestive of|highly suspicious for|strongly suggestive of|seems|so called|supportive of
        is favored over|are favored over|favored over|is preferred over|preferred over|more likely than
        not unlike|not dissimilar to|not dissimilar from|in favor of|in favour of
        cannot entirely exclude|cannot completely exclude|cannot be ruled out for|no definite evidence against|to rule out
        should|in the event of|in the event that|in case of|to exclude|to definitively exclude|to further exclude|to help exclude|must exclude
        less likely|than with|than for|than of|more likely|exclusion of|cannot totally exclude
        if|unless|preoperative diagnosis|pre operative diagnosis|preop diagnosis|pre op dx|preop dx|pre op diagnosis|impression rule out|assess for|concern of|working diagnosis
    """),
    (POSSIBLE, BEFORE, 8, True, """
        is favored over|are favored over|favored over|is preferred over|preferred over|more likely than
        cannot be ruled out|can not be ruled out|cannot be excluded|can not be excluded|could not be ruled out
        could not be excluded|cannot be entirely excluded|cannot be completely excluded|not be excluded|not excluded|is possible
        are possible|is suspected|are suspected|is favored|are favored|is likely|are likely
        is suspicious|are suspicious|is questionable|is equivocal|is indeterminate|are indeterminate|are equivocal
        could be considered|may be considered|is a consideration|remains a consideration|must be excluded|needs to be excluded|need to be excluded
        less likely|is less likely|are less likely|not favored|is not favored|are not favored|disfavored|is disfavored
        should be excluded|to be excluded|has to be excluded|cannot be totally excluded|can not be totally excluded|could not be entirely excluded
        remains a concern|is a concern|be a concern|remains in the differential|remain in the differential
        remains possible|is in the differential diagnosis|is in the differential|should be considered|is considered|are considered|is suggested|are suggested|is not ruled out
        not be ruled out|not been ruled out|to be ruled out|being ruled out|is to be ruled out|should be ruled out|be ruled out
    """),
    (POSSIBLE, BEFORE, 3, False, "suspected|favored|likely|possible|probable|suspicious|questionable|equivocal|indeterminate|uncertain"),
    (POSSIBLE, BEFORE, 1, True, "candidate|candidates"),
    (POSSIBLE, BEFORE, 1, False, "versus|vs"),
    (POSSIBLE, AFTER, 0, False, "?"),
    (HISTORICAL, AFTER, 12, True, """
        history of|history|status post|s p|previous|previously|prior|past medical history|past history|past
        with known|with a known|known case of|personal history of|clinical history of|history significant for|previously diagnosed|prior history of|known history of
        clinical history|clinical diagnosis and history|clinical data|clinical information|clinical indication|clinical impression
        history and physical|brief clinical history|pertinent history|relevant history|patient history|hx of|hx|h o
        medical history|pmh|past surgical history|remote|former|past diagnosis|in the past|long standing history of
    """),
    # "a 3 day history of fever" is what the patient has now
    (AFFIRMED, AFTER, 8, True, "|".join(f"{unit} history of" for unit in ("hour", "day", "week", "wk", "month", "mo", "year", "yr"))),
    (HISTORICAL, BEFORE, 4, True, "in the past|by history|years ago|months ago|previously|in childhood|status post"),
    (UNSPECIFIED, BEFORE, 8, True, """
        not specified|unspecified|cannot be assessed|can not be assessed|cannot be determined|can not be determined
        cannot be evaluated|could not be assessed|could not be determined|could not be evaluated|cannot assess|not assessed
        not determined|not applicable|not evaluated|not evaluable|not assessable|not performed|not done|not reported
        not stated|not provided|not given|not answered|none given|none stated|none provided|not known|unknown|pending|is pending|are pending|not available|n a|na|to follow
        not tested|not recorded|not mentioned|not documented|cannot be stated|not classified|not assigned|not determinable
        unable to assess|unable to determine|unable to evaluate|undetermined|to be determined|deferred|not graded|will be reported
        will be reported separately|to be reported|addendum to follow|not specifed|not speciiied|cannot be accurately assessed
        cannot be reliably assessed|difficult to assess|difficult to evaluate|not examined|can't be assessed|not yet available
        were ordered|was ordered|is ordered|are ordered|has been ordered|have been ordered
    """),
    (UNSPECIFIED, AFTER, 6, True, """
        cannot assess|can not assess|unable to assess|unable to evaluate|not evaluable for|insufficient to assess
        cannot evaluate|cannot determine|not tested for|pending for|will be tested for|studies for|ordered for
    """),
    (OTHER, AFTER, 16, True, """
        family history of|family history|mother had|father had|sister had|brother had|maternal history of|paternal history of
        family hx|fh|mother with|father with|sister with|brother with|mother|father|sister|brother|aunt|uncle|grandmother
        grandfather|cousin|daughter|son|his wife|her husband|family|familial history of|mother's|father's|sister's
        is defined as|are defined as|refers to|defined as|criteria for|reference range|for example
    """),
    (AFFIRMED, BEFORE, 6, True, """
        present|is present|are present|identified|is identified|are identified|seen|is seen|are seen|noted|is noted|yes
        positive|is positive|are positive|was positive|were positive|found|is found|are found|observed|involved|is involved
        are involved|evident|is evident|extensive|focal|detected|confirmed|demonstrated|is demonstrated|was identified
        were identified|was found|were found|was seen|were seen|was noted|were noted|was present|were present
    """),
    (AFFIRMED, AFTER, 12, True, """
        positive for|diagnostic of|showing|shows|show|showed|demonstrates|demonstrate|demonstrated|reveals|revealed
        reveal|contains|containing|confirms|confirmed|involving|involves|involved by|infiltrated by|displays|exhibits
        characterized by|composed of|consisting of|consists of
        immunoreactive for|reactive for|positivity for|immunopositive for|expression of|express|expresses|expressing|reactivity for
        immunoreactivity for|co express|co expresses|no loss of|without loss of|retains|retained expression of|positive staining for
    """),
    (PSEUDO, NONE, 0, True, """
        no increase|no increase in|no change|no change in|no significant change|no interval change|no significant interval change
        no suspicious change|not only|not just|not merely|not necessarily|not cause|not certain if|not certain whether|not drain
        without difficulty|gram negative|not extend|without further|no longer than|no more than|no less than|not more than
        not less than|no doubt|no further than|not to exceed|no other significant|triple negative|non small|non hodgkin
        not without|no special type|of no special type|not otherwise specified|not otherwise classified|no question|no charge|no 1
        negative control|negative controls|negative margin|negative margins|non neoplastic|non tumor|non invasive
        noninvasive|non seminomatous|non mucinous|non keratinizing|non functioning|non necrotizing|non caseating|non specific
        time zero|day zero|not a limiting factor|no identifiers|non contributory|not ruled out|not yet|no comment|without change|without complication
        may be used|may be seen|may be performed|non lesional|no time|not limited to|no different|does not rule out malignancy if
    """),
    (BREAK, NONE, 0, True, """
        but|however|although|though|except|except for|aside from|apart from|with the exception of|other than|which|whereas|while
        nevertheless|yet|still|therefore|because|since|secondary to|due to|as well as a|in addition|additionally|also
        otherwise|besides|as there is|as there are|cause for|cause of|causes for|causes of|etiology for|etiology of
        origin for|origin of|reason for|reason of|as a cause of|as a cause for|as a source of|source of|source for
        trigger event for|presented|presenting|complains of|shows|showing|show|reveals|reveal|consists of|consist of
        there is|there are|there was|there were|remaining|is seen|are seen|is present|are present|is identified|are identified
        closest|distance|with|status|has|have|had|extends|extend|extending|invades|invading|comprising|composed of
        measures|measuring|located|situated
    """),
]

STATUS = ("absent", "possible", "historical", "unspecified", "other", "present")
"""Assertion by category, NEGATED to AFFIRMED."""

SECTIONS: dict[str, str] = {
    "history": """clinical history|history|clinical data|clinical information|clinical indication|clinical impression
        clinical diagnosis|preoperative diagnosis|pre operative diagnosis|preop diagnosis|past medical history
        clinical details|pertinent clinical history|brief clinical history|brief history|clinical notes|clinical note
        clinical history and diagnosis|clinical diagnosis and history|clinical history or diagnosis|indication
        relevant clinical information|clinical summary|patient history|previous biopsy|previous surgery|pertinent history
        clinical information provided|relevant history|reason for operation|pre op diagnosis|clinical symptoms|previous report
        prior diagnosis|previous diagnosis|history of present illness|clinical findings""",
    "gross": """gross description|gross|macroscopic description|macroscopy|macroscopic examination|gross examination
        gross findings|macroscopic|description|specimen description|gross pathology|macro""",
    "specimen": """specimen|specimens|specimens submitted|specimen submitted|specimen received|specimens received|source of specimen
        tissue submitted|material submitted|material received|nature of specimen|specimen source|specimen type|procedure
        operation|operative procedure|type of specimen|tissues submitted|source|specimen s|specimen s received|surgical procedure
        sources of specimen|operation performed|specimen site|type of surgery""",
    "diagnosis": """diagnosis|final diagnosis|final pathologic diagnosis|pathologic diagnosis|pathological diagnosis|diagnoses
        final pathological diagnosis|surgical pathology diagnosis|histological diagnosis|histologic diagnosis|diagnosis s
        histopathological diagnosis|histopathologic diagnosis|microscopic diagnosis|anatomic diagnosis|interpretation|conclusion
        frozen section diagnosis|intraoperative diagnosis|intraoperative consultation|permanent diagnosis|summary diagnosis
        diagnostic summary|final report|diagnosis details|principal diagnosis|revised diagnosis|amended diagnosis|impression
        histopathology|path diagnosis|cytologic diagnosis|diagnosis comment|diagnostic opinion|summary""",
    "microscopic": """microscopic description|microscopic|microscopy|microscopic examination|microscopic findings|histology
        histopathological examination|histological examination|micro|microscopic report""",
    "synoptic": """synoptic report|tumor summary|synoptic data|cancer checklist|tumor staging|pathologic staging|cap checklist
        staging summary|synoptic|pathologic stage|tumor synoptic|cancer case summary|ajcc staging|tnm staging|staging
        synoptic worksheet|surgical pathology cancer case summary|pathology checklist|tumor type checklist|tnm stage""",
    "comment": "comment|comments|note|notes|remark|remarks|diagnosis note|diagnosis comment",
    "ancillary": """immunohistochemistry|special stains|immunohistochemical stains|immunohistochemical studies|immunoperoxidase
        immunohistochemical findings|results|addendum|special studies|ancillary studies|immunophenotype|molecular studies
        receptor studies|stains|ihc|immunohistochemical results|biomarkers|breast biomarkers|hormone receptors""",
    "block": """summary of sections|section code|cassette summary|block summary|key to cassettes|block key|slide key|section summary
        summary of cassettes|slide disposition|blocks|cassettes|representative sections|sections submitted|key to blocks|block code
        sections|summary of blocks""",
}
"""Headings (before a colon) and the section they open."""


def _build() -> tuple[Cue, ...]:
    cues: dict[tuple[str, int, int], Cue] = {}
    for category, side, reach, existence, block in _TABLE:
        for phrase in _lines(block):
            key = form_key(phrase)
            cues.setdefault((key, category, side), Cue(key, category, side, reach, existence))
    # a doubt that is taken back half-way stays a doubt: "suspicious for, but not diagnostic of, carcinoma"
    for doubt in ("suspicious", "suggestive", "concerning", "worrisome", "consistent", "compatible"):
        for link in ("for", "of", "with"):
            for comma in ("", " ,"):
                for proof in ("diagnostic", "definitive", "conclusive"):
                    for of in ("of", "for"):
                        for key in (f"{doubt} {link}{comma} but not {proof} {of}", f"{doubt}{comma} but not {proof} {of}"):
                            cues[key, POSSIBLE, AFTER] = Cue(key, POSSIBLE, AFTER, 14, True)
    # "are negative" must not take the words of "are negative for"
    before = {cue.phrase for cue in cues.values() if cue.side == BEFORE}
    for cue in [cue for cue in cues.values() if cue.side == AFTER]:
        for verb in ("is", "are", "was", "were"):
            words = f"{verb} {cue.phrase}".split(" ")
            if any(" ".join(words[:k]) in before for k in range(2, len(words))):
                key = " ".join(words)
                cues.setdefault((key, cue.category, AFTER), replace(cue, phrase=key))
    return tuple(cues.values())


CUES: tuple[Cue, ...] = _build()
SECTION_OF: dict[str, str] = {form_key(heading): section
                              for section, block in SECTIONS.items() for heading in _lines(block)}
