"""Accounts for the operator: made, closed and given rights here; keys can only be withdrawn."""

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import services
from accounts.forms import AdminSignInForm
from accounts.models import ApiKey, User
from common.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    CreationForm = AdminUserCreationForm[User]
    ChangeForm = UserChangeForm[User]
    DjangosUserAdmin = UserAdmin[User]
else:
    CreationForm, ChangeForm, DjangosUserAdmin = AdminUserCreationForm, UserChangeForm, UserAdmin


admin.site.login_form = AdminSignInForm


class NewAccountForm(CreationForm):
    class Meta:
        model = User
        fields = ("username", "email")


class AccountForm(ChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class AccountAdmin(DjangosUserAdmin):
    """An account is never deleted, because its usage is: uncheck `Active` to close it."""

    form = AccountForm
    add_form = NewAccountForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email", "first_name", "last_name")
    date_hierarchy = "date_joined"
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "time_zone")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("id", "user", "note", "is_active", "created_at", "last_used_at")
    list_filter = ("is_active", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("=id", "user__username", "note")
    # Not the hash of the secret: nobody needs it, and it is half of what a forger wants.
    fields = ("id", "user", "note", "is_active", "created_at", "last_used_at")
    date_hierarchy = "created_at"
    actions = ("deactivate",)

    def has_deactivate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    @admin.action(description="Deactivate the selected keys", permissions=["deactivate"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset.filter(is_active=True).select_related("user"))
        for key in keys:
            services.deactivate_key(user=key.user, key_id=key.pk)
        self.message_user(request, f"{len(keys)} keys are deactivated.", messages.SUCCESS)
