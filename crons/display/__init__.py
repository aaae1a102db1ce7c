"""How crons look on pages: words, strips of runs, a calendar. Nothing here reads the database."""
