"""The catalog's database and its tables, and the store of files."""
