"""Rows of reserved cores, and of the capacity behind all cores."""

from realtime.models.decisions import Decision, ForecastHour, LoadHour
from realtime.models.estimates import Quote, RunTime, UsageCursor
from realtime.models.hosts import Host

__all__ = ["Decision", "ForecastHour", "Host", "LoadHour", "Quote", "RunTime", "UsageCursor"]
