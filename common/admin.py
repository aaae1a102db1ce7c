"""What the admin pages of all rooms share: nothing is changed by hand, and big tables stay quick."""

from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

# Generic for the type checker alone.
if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyInline = admin.TabularInline[Any, Any]
    AnyPaginator = Paginator[Any]
else:
    AnyAdmin, AnyInline, AnyPaginator = admin.ModelAdmin, admin.TabularInline, Paginator

# Pages further back are reached by searching: counting a million rows takes longer than all the rest.
COUNTED = 10_000
BIGGEST = 2**63 - 1


class CappedPaginator(AnyPaginator):
    """Counts no further than `COUNTED` rows."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows.order_by()[:COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


class ReadOnlyAdmin(AnyAdmin):
    """Shows rows that only the services may write: a hand edit would break what they keep true."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


class SearchByNumber(AnyAdmin):
    """Searches numbers in `number_fields` by equality, and other words among the users' names.

    Django's own search would turn each number of the table into text first.
    """

    number_fields: ClassVar[tuple[str, ...]] = ()
    account_field: ClassVar[str] = "account"

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for word in search_term.split():
            queryset = queryset.filter(self._matches(word))
        return queryset, False

    def _matches(self, word: str) -> Q:
        if word.isascii() and word.isdigit():
            number = min(int(word[:20]), BIGGEST)
            return Q.create([(name, number) for name in self.number_fields], connector=Q.OR)
        users: QuerySet[Model] = get_user_model().objects.filter(username__icontains=word)
        # As a list: a join would be walked from the big table's side.
        return Q(**{f"{self.account_field}__in": list(users.values_list("pk", flat=True)[:1000])})


class PartAdmin(SearchByNumber, ReadOnlyAdmin):
    """Rows that belong to something of an account: `account_field` is the way there."""

    with_rows: ClassVar[tuple[str, ...]] = ()  # what else is read along with each row

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(self.account_field, *self.with_rows)

    @admin.display(description="account")
    def account(self, row: Any) -> Any:
        return reduce(getattr, self.account_field.split("__"), row)
