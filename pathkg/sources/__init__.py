"""Readers: one per upstream, each giving tables and a report of what was read and what was not."""
