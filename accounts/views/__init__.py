"""Pages about people and their keys."""
