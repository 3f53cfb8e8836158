"""Where every learner stands: verdicts of many learners at once, and what a change would do.

``reading`` turns rows into columns, ``sweep`` decides learner after learner in several processes,
``recompute`` compares before and after and changes nothing until it is confirmed.
"""
