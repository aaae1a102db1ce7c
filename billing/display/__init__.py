"""How money looks on pages and in files: charts, tables, exports. Nothing here reads the database."""
