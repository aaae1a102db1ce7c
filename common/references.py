"""Rows that nothing refers to."""

from collections.abc import Collection
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel

M = TypeVar("M", bound=Model)


def unreferenced(rows: QuerySet[M], *, parts: Collection[type[Model]] = ()) -> QuerySet[M]:
    """Those of the rows without another row that refers to them, in whichever app that is.

    `parts` are models whose rows belong to these and do not count.
    """
    for relation in rows.model._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and relation.related_model not in parts:
            references: QuerySet[Model] = QuerySet(relation.related_model).filter(
                **{relation.field.name: OuterRef("pk")}
            )
            rows = rows.exclude(Exists(references))
    return rows
