"""Every read of reservations and of capacity."""
