"""Stored bytes for the operator: what there is, and whose. The bytes themselves are never shown."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import ReadOnlyAdmin, SearchByNumber
from storage import services
from storage.models import Blob, StoredFile, TransferDay


@admin.register(Blob)
class BlobAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("id", "account", "digest", "size", "key", "created_at")
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of a blob, or an account's name."
    number_fields = ("id",)
    fields = ("account", "digest", "size", "key", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Blob]:
        return super().get_queryset(request).defer("inline")


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    """A file can be deleted, with its bytes; its name and content are its owner's."""

    list_display = ("name", "account", "size", "content_type", "updated_at")
    list_filter = ("updated_at",)
    list_select_related = ("account",)
    search_fields = ("name", "account__username")
    fields = ("account", "name", "size", "md5", "content_type", "key", "created_at", "updated_at")

    def has_delete_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return request.user.has_perm("storage.delete_storedfile")

    def delete_model(self, _request: HttpRequest, obj: StoredFile) -> None:
        services.delete_file(account=obj.account, name=obj.name)

    def delete_queryset(self, _request: HttpRequest, queryset: QuerySet[StoredFile]) -> None:
        for file in queryset.select_related("account"):
            services.delete_file(account=file.account, name=file.name)


@admin.register(TransferDay)
class TransferDayAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("day", "account", "bytes_in", "bytes_out")
    list_filter = ("day",)
    list_select_related = ("account",)
    search_fields = ("account__username",)
