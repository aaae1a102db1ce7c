"""How estimates and capacity look on pages and read in sentences. Nothing here reads the database."""
