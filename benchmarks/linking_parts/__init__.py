"""The parts of ``benchmarks/linking.py``."""
