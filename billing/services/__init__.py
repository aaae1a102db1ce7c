"""Every change of the books."""
