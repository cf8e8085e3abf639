"""Merging: which nodes of several sources are one concept, a row for every decision, one store out."""

from pathkg.merge.align import align
from pathkg.merge.build import BuildResult, build, merge_sources
from pathkg.merge.summary import summary

__all__ = ["BuildResult", "align", "build", "merge_sources", "summary"]
