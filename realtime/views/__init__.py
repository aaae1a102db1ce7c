"""Pages about reserved cores."""
