"""Worker hosts for the operator: shown, drained, kept and ended, by the same services as everywhere."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import ReadOnlyAdmin
from common.exceptions import Refused
from realtime.models import Host
from realtime.services import hosts


@admin.register(Host)
class HostAdmin(ReadOnlyAdmin):
    list_display = (
        "name", "provider", "state", "core_types", "slots", "joined_at", "seen_at", "price_per_hour", "is_spot",
        "problem",
    )  # fmt: skip
    list_filter = ("state", "provider", "is_spot")
    search_fields = ("name", "reference")
    search_help_text = "Part of a name, or of what the provider calls it."
    actions = ("drain", "keep", "end")

    def has_host_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("realtime.change_host")

    @admin.action(description="Drain: finish what runs, take nothing new", permissions=["host"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        self._do(request, queryset, hosts.drain, done="told to drain")

    @admin.action(description="Call a drain off", permissions=["host"])
    def keep(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        self._do(request, queryset, hosts.keep, done="back at work")

    @admin.action(description="End at once: what runs there runs again elsewhere", permissions=["host"])
    def end(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        self._do(request, queryset, hosts.end, done="ended")

    def _do(self, request: HttpRequest, rows: QuerySet[Host], act: Callable[..., Any], *, done: str) -> None:
        count = 0
        for host in rows:
            try:
                act(host=host)
            except Refused as refusal:
                self.message_user(request, str(refusal), messages.WARNING)
            else:
                count += 1
        if count:
            self.message_user(request, f"{count} {'host is' if count == 1 else 'hosts are'} {done}.", messages.SUCCESS)
