"""Budgets, what is held for them, and what happened to both."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import words
from billing.budget_forms import BudgetForm, TermsForm
from billing.display.budgets import row_of
from billing.models import Action, Scope
from billing.selectors import budgets as selectors
from billing.services import budgets as services
from billing.services.brake import lift_brake
from common.exceptions import Conflict, NotFound
from jobs.views.requests import PageRequest

STARTS = {"scope": Scope.ACCOUNT, "action": Action.HOLD, "mails": True}


@login_required
@require_GET
def budget_list(request: PageRequest) -> HttpResponse:
    asked = {name: request.GET[name] for name in ("scope", "name") if name in request.GET}
    return _list(request, BudgetForm(initial={**STARTS, **asked}))


def _list(request: PageRequest, form: BudgetForm) -> HttpResponse:
    now = timezone.now()
    context = {
        "form": form,
        "rows": [row_of(standing) for standing in selectors.budgets_of(request.user, now)],
        "holds": selectors.holds_on(request.user),
        "events": selectors.events_of(request.user),
        "names": selectors.names_of(request.user, now),
    }
    return render(request, "billing/budgets/list.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def budget_set(request: PageRequest) -> HttpResponse:
    form = BudgetForm(request.POST)
    if form.is_valid():
        try:
            budget = services.set_budget(account=request.user, **form.cleaned_data)
        except (Conflict, NotFound) as refusal:
            form.add_error("name", refusal.message)
        else:
            messages.success(request, f"The budget of {words.about(budget)} is set.")
            return redirect("billing:budgets")
    return _list(request, form)


@login_required
@require_http_methods(["GET", "POST"])
def budget_edit(request: PageRequest, number: int) -> HttpResponse:
    budget = selectors.budget_for(request.user, number)
    initial = {"amount": f"{budget.amount:.2f}", "action": budget.action, "mails": budget.mails}
    form = TermsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        services.change_budget(account=request.user, number=number, wanted=form.cleaned_data)
        messages.success(request, f"The budget of {words.about(budget)} is changed.")
        return redirect("billing:budgets")
    row = row_of(selectors.standing_of(budget, timezone.now()))
    return render(request, "billing/budgets/edit.html", {"form": form, "row": row}, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def budget_remove(request: PageRequest, number: int) -> HttpResponse:
    """Asks, with the consequences, and removes when the answer is posted."""
    budget = selectors.budget_for(request.user, number)
    if request.method == "GET":
        row = row_of(selectors.standing_of(budget, timezone.now()))
        return render(request, "billing/budgets/remove.html", {"row": row})
    services.remove_budget(account=request.user, number=number)
    messages.success(request, f"The budget of {words.about(budget)} is removed.")
    return redirect("billing:budgets")


@login_required
@require_POST
def budget_waive(request: PageRequest, number: int) -> HttpResponse:
    budget = services.waive_budget(account=request.user, number=number, by=request.user)
    messages.success(request, f"The budget of {words.about(budget)} holds nothing for the rest of the month.")
    return redirect("billing:budgets")


@login_required
@require_POST
def brake_lift(request: PageRequest, number: int) -> HttpResponse:
    brake = lift_brake(number=number, by=request.user)
    messages.success(request, f"The brake is lifted: jobs of API key {brake.api_key} go on.")
    return redirect("billing:budgets")
