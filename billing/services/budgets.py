"""Setting budgets, changing and removing them. Each acts at once, and not only when the clock comes by."""

from collections.abc import Mapping
from reprlib import repr as shown

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from billing import words
from billing.models import Budget, Scope
from billing.months import month_of
from billing.selectors.budgets import budget_for
from billing.selectors.spending import standings
from billing.services.enforce import apply_budgets
from billing.services.notices import note
from billing.terms import check_action, check_amount, check_mails, check_name, check_scope
from common.exceptions import Conflict, Refused
from crons.selectors import cron_for
from jobs.services.holds import lift_hold

MOST_BUDGETS = 1000  # of one account


def set_budget(
    *,
    account: User,
    amount: object,
    scope: object = Scope.ACCOUNT,
    name: object = "",
    action: object = "hold",
    mails: object = True,
) -> Budget:
    """Let the account, a label or a cron cost this much in a month.

    Raises Refused for values that cannot be, Conflict when there is a budget for the same already.
    """
    kind = check_scope(scope)
    named = check_name(kind, name)
    if kind == Scope.CRON:
        cron_for(account, named)
    values = {"limit": check_amount(amount), "action": check_action(action), "mails": check_mails(mails)}
    if Budget.objects.filter(account=account).count() >= MOST_BUDGETS:
        raise Refused("too_many_budgets", f"An account can have {MOST_BUDGETS:,} budgets; remove some first.")
    try:
        with transaction.atomic():
            budget = Budget.objects.create(account=account, scope=kind, name=named, **values)
            note(account, "budget.set", words.about(budget), _terms(budget))
    except IntegrityError:
        raise Conflict("budget_exists", "There is a budget for the same already: change that one.") from None
    _begin_again(budget)
    return budget


def _terms(budget: Budget) -> str:
    return f"{words.exact(budget.amount)} a month; when it is spent: {budget.get_action_display().lower()}."


def _begin_again(budget: Budget) -> None:
    """What it has reached by now is no news; what it asks for is done."""
    now = timezone.now()
    standing = standings([budget], now)[0]
    budget.said_month, budget.said_percent, budget.said_forecast = standing.month.first, standing.reached, False
    budget.save(update_fields=["said_month", "said_percent", "said_forecast"])
    apply_budgets([budget], now=now)


KNOWN = ("amount", "action", "mails")


def change_budget(*, account: User, number: int, wanted: Mapping[str, object]) -> Budget:
    """Change what it allows or does, by the names in `KNOWN`; what is left out stays. Raises Refused, NotFound."""
    unknown = sorted(set(wanted) - set(KNOWN))
    if unknown:
        raise Refused("unknown_option", f"A budget has no {shown(unknown[0])} to change; it has {', '.join(KNOWN)}.")
    with transaction.atomic():
        budget = budget_for(account, number, locked=True)
        if "amount" in wanted:
            budget.limit = check_amount(wanted["amount"])
        if "action" in wanted:
            budget.action = check_action(wanted["action"])
        if "mails" in wanted:
            budget.mails = check_mails(wanted["mails"])
        budget.save(update_fields=["limit", "action", "mails"])
        note(account, "budget.changed", words.about(budget), _terms(budget))
    _begin_again(budget)
    return budget


def remove_budget(*, account: User, number: int) -> None:
    """Remove a budget; what it holds goes on. Raises NotFound."""
    with transaction.atomic():
        budget = budget_for(account, number, locked=True)
        source = budget.source
        budget.delete()
        note(account, "budget.removed", words.about(budget), _terms(budget))
    lift_hold(account=account, source=source)


def waive_budget(*, account: User, number: int, by: User) -> Budget:
    """Let it hold nothing for the rest of the month: held jobs go on. Raises NotFound."""
    with transaction.atomic():
        budget = budget_for(account, number, locked=True)
        budget.waived_month = month_of(timezone.now()).first
        budget.save(update_fields=["waived_month"])
        text = f"It holds nothing for the rest of the month, as {by} wishes."
        note(account, "budget.waived", words.about(budget), text)
    apply_budgets([budget], now=timezone.now())
    return budget
