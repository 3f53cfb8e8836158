"""What a credential *is*: its data model, canonical forms, proofs, Merkle trees and status lists.

Signing and checking stand side by side. Everything here is pure, bytes in and bytes out: no file,
network, database or clock. This room imports nothing of ours.
"""
