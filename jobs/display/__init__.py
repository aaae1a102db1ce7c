"""How jobs look on pages: words, rows and charts. Nothing here reads the database."""
