"""Jobs, core types and prices for the operator.

Jobs and everything that happens to them are shown and not edited; killing goes through the same service
as everywhere. No page shows pickled bytes, let alone opens them.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from common.admin import AnyAdmin, AnyInline, PartAdmin, ReadOnlyAdmin, SearchByNumber
from jobs.models import (
    ArgumentPack,
    Batch,
    BatchTrace,
    CorePrice,
    CoreType,
    Dedication,
    Dependency,
    Function,
    Hold,
    JidCounter,
    Job,
    JobEvent,
    JobLog,
    JobMetrics,
    JobResult,
    ModuleArchive,
    ModuleSet,
    UsageRecord,
)
from jobs.services.kill import kill_jobs
from jobs.states import UNFINISHED

# So many jobs are killed by one action at most, and the operator is told when there were more.
KILLED_AT_ONCE = 10_000


class CorePriceInline(AnyInline):
    """Prices are added and never edited: what jobs have cost does not change afterwards."""

    model = CorePrice
    extra = 0

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(CoreType)
class CoreTypeAdmin(AnyAdmin):
    """A type is never deleted, because jobs ran on it: uncheck `is active` to offer it no more."""

    list_display = ("code", "description", "compute_units", "memory_mb", "disk_mb", "allowed_cores", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "description")
    inlines = (CorePriceInline,)

    def get_readonly_fields(self, _request: HttpRequest, obj: CoreType | None = None) -> tuple[str, ...]:
        # The code is the primary key: with another one this would be another type.
        return ("code",) if obj else ()

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(CorePrice)
class CorePriceAdmin(AnyAdmin):
    list_display = ("core_type", "per_core_hour", "per_reserved_core_hour", "effective_from")
    list_filter = ("core_type",)
    list_select_related = ("core_type",)
    search_fields = ("core_type__code",)
    date_hierarchy = "effective_from"

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(Dedication)
class DedicationAdmin(ReadOnlyAdmin):
    list_display = ("worker", "account", "core_type_id", "since")
    list_filter = ("core_type",)
    list_select_related = ("account",)
    search_fields = ("account__username", "worker")


class KillingAdmin(SearchByNumber, ReadOnlyAdmin):
    """Rows whose unfinished jobs can be killed."""

    actions = ("kill",)

    def has_kill_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_job")

    def jobs_of(self, queryset: QuerySet[Any]) -> QuerySet[Job]:
        raise NotImplementedError

    @admin.action(description="Kill the unfinished jobs of the selected rows", permissions=["kill"])
    def kill(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        unfinished = self.jobs_of(queryset).filter(status__in=UNFINISHED).order_by("pk")
        chosen = list(unfinished.values_list("account_id", "jid")[: KILLED_AT_ONCE + 1])
        killed = _kill(chosen[:KILLED_AT_ONCE], by=request.user)
        self.message_user(request, f"{killed} jobs are killed or stopping.", messages.SUCCESS)
        if len(chosen) > KILLED_AT_ONCE:
            self.message_user(request, "There are more: kill again for the rest.", messages.WARNING)


def _kill(chosen: Iterable[tuple[int, int]], *, by: Any) -> int:
    """Kill jobs given by account and jid; how many will end by it."""
    jids: dict[int, list[int]] = defaultdict(list)
    for account_id, jid in chosen:
        jids[account_id].append(jid)
    results = [kill_jobs(account=account, jids=jids[account.pk], by=by) for account in User.objects.filter(pk__in=jids)]
    return sum(result.killed + result.stopping for result in results)


@admin.register(Batch)
class BatchAdmin(KillingAdmin):
    list_display = ("id", "account", "first_jid", "size", "function", "label", "core_type_id", "cores", "created_at")
    list_filter = ("is_map", "core_type", "created_at")
    search_fields = ("account__username",)
    search_help_text = "Number of a batch or its first jid, or an account's name."
    number_fields = ("id", "first_jid")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        rows = super().get_queryset(request).select_related("account", "function", "function_blob")
        return rows.defer("function_blob__inline")

    def jobs_of(self, queryset: QuerySet[Batch]) -> QuerySet[Job]:
        return Job.objects.filter(batch__in=queryset.values("pk"))


@admin.register(Job)
class JobAdmin(KillingAdmin):
    list_display = ("jid", "account", "status", "reason", "core_type_id", "cores", "attempt", "worker", "started_at")
    list_display_links = ("jid",)
    list_filter = ("status", "reason", "core_type")
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "A jid, or an account's name."
    number_fields = ("jid",)

    def jobs_of(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset


@admin.register(Function)
class FunctionAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("id", "account", "module", "name")
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of a function, or an account's name."
    number_fields = ("id",)


@admin.register(Hold)
class HoldAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("id", "account", "source", "label", "api_key", "reason", "sentence", "since")
    list_filter = ("reason",)
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of a hold, or an account's name."
    number_fields = ("id",)


@admin.register(ModuleSet)
class ModuleSetAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("id", "account", "digest", "created_at")
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of a set of modules, or an account's name."
    number_fields = ("id",)


@admin.register(ModuleArchive)
class ModuleArchiveAdmin(PartAdmin):
    list_display = ("id", "account", "module_set", "position", "name", "blob")
    search_fields = ("module_set__id",)
    search_help_text = "Number of a set of modules, or an account's name."
    number_fields = ("module_set_id",)
    account_field = "module_set__account"
    with_rows = ("blob",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModuleArchive]:
        return super().get_queryset(request).defer("blob__inline")


@admin.register(JidCounter)
class JidCounterAdmin(ReadOnlyAdmin):
    list_display = ("account", "next_jid")
    list_select_related = ("account",)
    search_fields = ("account__username",)


class PartOfJobAdmin(PartAdmin):
    """Rows that belong to a job."""

    search_fields = ("job__jid",)
    search_help_text = "A jid, or an account's name."
    number_fields = ("job__jid",)
    account_field = "job__account"


@admin.register(JobResult)
class JobResultAdmin(PartOfJobAdmin):
    list_display = ("job", "account", "is_exception", "size", "key")
    list_filter = ("is_exception",)
    fields = ("job", "is_exception", "size", "key", "error_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobResult]:
        return super().get_queryset(request).defer("inline")


@admin.register(JobLog)
class JobLogAdmin(PartOfJobAdmin):
    list_display = ("job", "account", "stream", "dropped")
    list_filter = ("stream",)


@admin.register(JobMetrics)
class JobMetricsAdmin(PartOfJobAdmin):
    list_display = ("job", "account")


class PartOfBatchAdmin(PartAdmin):
    """Rows that belong to a batch."""

    search_fields = ("batch__id",)
    search_help_text = "Number of a batch, or an account's name."
    number_fields: ClassVar[tuple[str, ...]] = ("batch_id",)
    account_field = "batch__account"


@admin.register(ArgumentPack)
class ArgumentPackAdmin(PartOfBatchAdmin):
    list_display = ("id", "batch", "account", "first_index", "count", "blob")
    with_rows = ("blob",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ArgumentPack]:
        return super().get_queryset(request).defer("blob__inline")


@admin.register(Dependency)
class DependencyAdmin(PartOfBatchAdmin):
    list_display = ("id", "batch", "account", "on_job")
    with_rows = ("on_job",)


@admin.register(JobEvent)
class JobEventAdmin(PartOfBatchAdmin):
    list_display = ("at", "account", "first_jid", "last_jid", "name", "status", "reason", "attempt", "worker")
    list_filter = ("status", "reason")
    number_fields = ("batch_id", "first_jid")
    search_help_text = "Number of a batch, a jid, or an account's name."
    ordering = ("-id",)


@admin.register(BatchTrace)
class BatchTraceAdmin(ReadOnlyAdmin):
    list_display = ("batch_id", "function", "label", "api_key", "deleted_at")
    search_fields = ("batch_id",)


@admin.register(UsageRecord)
class UsageRecordAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("id", "account", "jid", "core_type_id", "cores", "run_ms", "price_micros", "started_at")
    list_filter = ("core_type", "started_at")
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "A jid, or an account's name."
    number_fields = ("jid",)
