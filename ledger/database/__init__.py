"""The database: tables, migrations, and opening one by URL (SQLite or PostgreSQL)."""
