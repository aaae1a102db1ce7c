"""Pages about reserved cores, and about capacity for operators."""
