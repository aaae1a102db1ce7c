"""Pages about capacity."""
