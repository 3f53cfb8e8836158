"""The credit engine: a policy applied to a learner's records.

Pure: (policy, records, context, as-of date) in, audit out. No database, no chain, no clock.
"""
