"""Rows of reserved cores, and of the capacity behind all cores."""

from realtime.models.estimates import Quote, RunTime, UsageCursor

__all__ = ["Quote", "RunTime", "UsageCursor"]
