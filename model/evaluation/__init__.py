"""Evaluation: predictions, metrics with intervals, controls that show whether the slide was used, reports."""
