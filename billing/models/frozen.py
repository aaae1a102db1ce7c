"""Rows that are written once. The database refuses to change them too: see the migration that seals them."""

from typing import Any, NoReturn

from django.db import models


class Frozen(Exception):
    """An attempt to change or delete what was charged. A mistake is corrected by a row of its own."""


class FrozenQuerySet(models.QuerySet[Any]):
    def update(self, **_values: Any) -> NoReturn:
        raise Frozen(f"{self.model._meta.verbose_name_plural} are never changed: add a correction.")

    def delete(self) -> NoReturn:
        raise Frozen(f"{self.model._meta.verbose_name_plural} are never deleted: add a correction.")

    def bulk_update(self, _objs: Any, _fields: Any, _batch_size: int | None = None) -> NoReturn:
        self.update()


class FrozenModel(models.Model):
    """A row that can be inserted, and after that only read."""

    objects = FrozenQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *, force_insert: Any = False, using: str | None = None, **_options: Any) -> None:
        """Insert the row. Raises Frozen when it has been."""
        if not self._state.adding:
            raise Frozen(f"{self._meta.verbose_name_plural} are never changed: add a correction.")
        super().save(force_insert=force_insert or True, using=using)

    def delete(self, using: Any = None, keep_parents: bool = False) -> NoReturn:  # noqa: FBT001, FBT002
        raise Frozen(f"{self._meta.verbose_name_plural} are never deleted: add a correction.")
