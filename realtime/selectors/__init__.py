"""Every read of reserved cores and of capacity."""
