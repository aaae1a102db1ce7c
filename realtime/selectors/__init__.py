"""Every read of reserved cores, and of the capacity behind all cores."""
