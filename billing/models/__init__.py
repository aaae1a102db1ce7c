"""Rows of money: what was charged for what, and what may be spent."""
