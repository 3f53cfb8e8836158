"""From an application to a degree, and what becomes of a degree later: people decide, step by step.

Every step is one database transaction with one history row (who, when, why), is safe to repeat,
and refuses what cannot be done now with an error that says what to do instead. The engine's
recommendation comes from ``ledger.credit``; it never awards, suspends or withdraws anything.
"""
