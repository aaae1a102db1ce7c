"""The `picloud` command."""
