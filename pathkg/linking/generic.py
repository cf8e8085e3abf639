"""Terms that carry no finding by themselves: what is silent, and what counts only when it is asserted.

A report says "tumor", "mass" and "section" in every other sentence. Silent terms take their place in the text,
so that nothing shorter is found inside them, and are not reported. Asserted-only terms are reported when the
text says that they are there or not ("negative for tumor", "tumor is present at the margin").
"""

from __future__ import annotations

from pathkg.linking.tokens import form_key

# nodes by name; names that a store lacks are ignored
SILENT_NODES = frozenset({
    "mass", "tumor size", "tumor focality", "histologic grade", "nuclear grade", "no pathologic abnormality",
    "organ-confined tumor", "cell injury and death", "frozen section", "permanent section", "gross examination",
    "inking of margins", "tissue processing", "total submission", "deeper level sections", "decalcification",
    "intraoperative consultation", "surgical procedure", "tnm staging procedure", "fat clearing technique",
    "hematoxylin and eosin stain", "second opinion consultation", "specimen radiograph", "disease", "phenotypic abnormality",
    "human", "person", "patient", "multifocality", "unifocality", "multicentricity", "tissue", "cell", "organ",
    "solid cut surface", "histologic type", "tumor extent", "nuclear grading", "gleason score", "who grade",
    "three-tier grade", "four-tier grade", "two-tier grade", "fuhrman nuclear grade", "anatomical structure",
    "organism", "protein", "gene", "grade cannot be assessed", "combined histologic grade", "tumor bed", "tumor thickness",
    "matted lymph nodes", "color", "pathologic finding", "abnormality", "histopathological diagnosis",
})

ASSERTED_NODES = frozenset({
    "neoplasm", "malignant neoplasm", "invasion", "tumor cells", "lesion", "benign neoplasm", "neoplasm (disease)",
})

# names that say nothing in any text; for every kind of store
EMPTY_NODES = frozenset({
    "disease", "rare", "not rare", "inherited", "complete", "incomplete", "idiopathic", "hereditary", "congenital", "acute",
    "chronic", "familial", "human disease", "disease characteristic", "syndromic disease", "all", "phenotypic abnormality",
    "frequency", "clinical modifier", "past medical history", "severity", "onset", "obsolete", "isolated", "secondary",
    "primary", "disease susceptibility", "predisposition", "injury", "susceptibility", "inherited disease susceptibility",
    "gene", "protein", "other", "anatomical entity", "material anatomical entity", "cell", "organism subdivision",
})

MODIFIER_ROOTS = ("HP:0012823", "HP:0031797", "HP:0040279", "HP:0000005", "HP:0032443")
"""Clinical modifier, clinical course, frequency, mode of inheritance, past medical history."""

# labels of fields; what stands inside them may be a mention ("number of lymph nodes examined")
HEADING_NODES = frozenset({
    "number of lymph nodes examined", "number of positive lymph nodes", "tumor spread finding", "morphologic finding",
    "TNM stage", "AJCC stage", "pT category", "pN category", "pM category", "tumor stage", "margin distance",
    "gross finding", "clinical finding", "poorly differentiated carcinoma", "moderately differentiated carcinoma",
    "well differentiated carcinoma", "stage group", "histologic finding",
})

# forms that are nothing for themselves although their noun is something
SILENT_FORMS = frozenset(map(form_key, """
invasive|infiltrating|infiltrative|metastatic|malignant|neoplastic|infiltrated|resected|excised|removed|lesional|nodule
mass lesion|number of tumors|greatest dimension|date of|frozen section diagnosis|permanent diagnosis|tumor site|tumor size
histologic type|histological type|tumor type|cell type|type of tumor|site of tumor|tumor location|primary site|primary tumor
tumor configuration|tumor description|tumor summary|tumor staging|tumor bank|tumor board|tumor registry|tissue bank
pathologic stage|pathologic staging|tnm stage|ajcc stage|stage|grade|tumor grade|tumor extension|extent of invasion
depth of invasion|margin status|lymph node status|distance from margin|closest margin distance|regional lymph nodes pn
primary tumor pt|distant metastasis pm|additional pathologic findings|tumor focality|tumor laterality|laterality
specimen type|specimen size|specimen integrity|specimen laterality|gross tumor type|procedure|operation|surgery|excision date
staining|stain|stains|stained|section|sections|positive|negative|present|absent|normal|abnormal|benign|block|slide|slides
cut surface|cut section|cut sections|outer surface|external surface|gross|microscopic|color|appearance|type|subtype|pattern
consistency|texture|size|weight|dimension|measurement|diameter|length|width|thickness|volume|shape|control|controls
yellow|white|tan|red|brown|gray|green|blue|black|pink|purple|orange|firm|soft|rubbery|solid|smooth|friable
formalin|paraffin|ink|inked|suture|sutures|staple|staple line|clip|clips|wire|container|cassette|part|portion|fragment
left|right|anterior|posterior|superior|inferior|medial|lateral|proximal|distal|upper|lower|central|peripheral|deep
superficial|apical|basal|dorsal|ventral|internal|external|middle|bilateral|unilateral|focal|diffuse|multifocal|unifocal
lobulated|lobulated fat|lobulated adipose tissue|lobulated soft tissue|lobulated tissue|discrete mass|discrete lesion|discrete nodule
dual synchronous primary|prior malignancy history|primary tumor site discrepancy|diagnosis discrepancy
patient|history|clinical|diagnosis|report|case|study|finding|findings|result|results|comment|note|specimen|sample
""".replace("\n", "|").strip("|").split("|")))

# the words of gross descriptions; a form made of nothing else describes a look, not a finding
LOOK_WORDS = frozenset(form_key(word) for line in ("""
yellow white tan red brown gray green blue black pink purple orange golden pale dark light variegated mottled cut surface
firm soft rubbery solid smooth friable glistening shiny fleshy hard whitish yellowish reddish brownish grayish gritty
granular tumor mass lesion tissue appearance area areas color homogeneous bright fish flesh like gelatinous
""",) for word in line.split())

# nouns among them that are terms of their own where they stand alone
LOOK_NOUNS = frozenset({"tumor", "mass", "lesion", "tissue"})
