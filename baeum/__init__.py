"""The composition root: settings, wiring and the ``baeum`` command.

The only place that knows every room. Nothing imports it.
"""

__version__ = "0.1.0"
