"""What happened and what it is worth.

Learners, institutions and their learning records; the credit engine and its policies; the database;
the chain gateway and the outbox that carries batches to it. Imports contracts and credential.
"""
