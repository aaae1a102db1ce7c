"""Every read of the books. Each knows whose they may be."""
