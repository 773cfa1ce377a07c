"""The catalog's database, its tables and migrations, and the blob store."""
