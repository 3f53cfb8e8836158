"""Towns for every test of faults."""

from town import make, template, town

__all__ = ["make", "template", "town"]
