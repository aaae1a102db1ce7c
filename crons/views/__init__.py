"""Pages about crons."""
