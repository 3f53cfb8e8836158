"""Alembic's scripts, shipped inside the package: no alembic.ini, no path on disk to configure."""
