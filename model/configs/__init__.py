"""Run files, to copy and change."""
