"""Inference: a bag in; a structured answer with its certificate and an attention heat map out."""
