"""Cases: reports, structured findings, slide questions and exam questions, read one at a time."""

from datagen.cases.columns import ColumnMap
from datagen.cases.findings_schema import findings_json_schema
from datagen.cases.patient import patient_of
from datagen.cases.reader import FORMATS, UnusableCase, detect_format, read_cases

__all__ = ["FORMATS", "ColumnMap", "UnusableCase", "detect_format", "findings_json_schema", "patient_of", "read_cases"]
