"""Runs the whole product on one machine: `python -m picloud_site.supervisor`. It imports no Django, to stay small."""
