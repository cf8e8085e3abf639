"""Filters: why a verified sample may still be left out, each with a count in the manifest."""

from datagen.filters.base import FILTERS, FilterOptions, Finding, check_text_filters
from datagen.filters.contamination import BenchmarkIndex
from datagen.filters.duplicates import NearDuplicates, signature
from datagen.filters.templating import TemplatingAudit

__all__ = ["FILTERS", "BenchmarkIndex", "FilterOptions", "Finding", "NearDuplicates", "TemplatingAudit",
           "check_text_filters", "signature"]
