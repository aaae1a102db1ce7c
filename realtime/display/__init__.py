"""How reservations, estimates and capacity look on pages. Nothing here reads the database."""
