"""Every read of the pages about jobs. Each knows whose jobs it may see."""
