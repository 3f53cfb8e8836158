"""From something presented to a report: resolvers, checks, trust, evidence.

An employer can install and run this room alone: it never touches the issuer or the database.
Imports credential and contracts.
"""
