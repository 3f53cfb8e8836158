"""Towns and places for every test of faults."""

from place import place
from town import make, template, town

__all__ = ["make", "place", "template", "town"]
