"""Who may do what: accounts with roles, their sessions, and tokens for machines.

Only hashes of secrets are kept: Argon2id of a password, SHA-256 of what is random (invitation,
session, token). Roles give permissions in one table (``permissions``); nothing else decides.
"""
