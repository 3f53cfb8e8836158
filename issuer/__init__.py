"""From records to credentials: intake, templates, signing keys, batches and status lists.

Imports ledger and credential.
"""
