"""Addresses of the pages about money."""

from django.urls import URLPattern, path

from billing.views import budgets

app_name = "billing"

urlpatterns: list[URLPattern] = [
    path("billing/budgets/", budgets.budget_list, name="budgets"),
    path("billing/budgets/set/", budgets.budget_set, name="budget_set"),
    path("billing/budgets/<int:number>/edit/", budgets.budget_edit, name="budget_edit"),
    path("billing/budgets/<int:number>/remove/", budgets.budget_remove, name="budget_remove"),
    path("billing/budgets/<int:number>/waive/", budgets.budget_waive, name="budget_waive"),
]
