"""HTTP only: routes, request and response models, errors, web pages.

One application that can run as issuer, wallet back end, verifier or all in one. What it serves is
handed to it by the composition root; it opens no database and no chain by itself.
"""
