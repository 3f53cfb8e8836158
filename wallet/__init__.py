"""The citizen's side: keeping keys and credentials, receiving, choosing, presenting.

A party of its own: it knows nothing of the issuer or the ledger. Imports credential.
"""
