"""Addresses of the pages about money."""

from django.urls import URLPattern, path

from billing.views import budgets, months, operate, statements

app_name = "billing"

urlpatterns: list[URLPattern] = [
    path("billing/", months.month_detail, name="month"),
    path("billing/entries/", months.entry_list, name="entries"),
    path("billing/rates/", months.rate_list, name="rates"),
    path("billing/statements/", statements.statement_list, name="statements"),
    path("billing/statements/<str:month>/", statements.statement_detail, name="statement"),
    path("billing/statements/<str:month>/entries.csv", statements.statement_csv, name="csv"),
    path("billing/statements/<str:month>/entries.json", statements.statement_json, name="json"),
    path("billing/budgets/", budgets.budget_list, name="budgets"),
    path("billing/budgets/set/", budgets.budget_set, name="budget_set"),
    path("billing/budgets/<int:number>/edit/", budgets.budget_edit, name="budget_edit"),
    path("billing/budgets/<int:number>/remove/", budgets.budget_remove, name="budget_remove"),
    path("billing/budgets/<int:number>/waive/", budgets.budget_waive, name="budget_waive"),
    path("billing/brakes/<int:number>/lift/", budgets.brake_lift, name="brake_lift"),
    path("operate/billing/", operate.billing_overview, name="operate"),
    path("operate/billing/reconcile/", operate.billing_reconcile, name="reconcile"),
]
