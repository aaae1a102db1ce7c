"""Reservations as pages show them."""
