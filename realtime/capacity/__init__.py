"""What capacity is needed: pure arithmetic, without a database."""
