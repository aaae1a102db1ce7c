"""What people ask for when they set a budget, checked one by one."""

from decimal import Decimal, InvalidOperation
from reprlib import repr as shown

from billing.models import Action, Scope
from common.exceptions import Refused
from common.money import charge_of_dollars
from crons.models import JOB_LABEL
from jobs.services.submission import MAX_COST, MAX_LABEL

LEAST = Decimal("0.01")


def check_amount(value: object) -> int:
    """Dollars of a month as a charge. Raises Refused."""
    amount = _decimal(value)
    # Of parts of a cent nobody keeps an account, and what is more fits no column.
    if amount is None or not LEAST <= amount <= MAX_COST or amount != round(amount, 2):
        raise Refused(
            "bad_amount", f"A budget is dollars of a month from {LEAST} to {MAX_COST:,}, in cents, not {shown(value)}."
        )
    return charge_of_dollars(amount)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip().removeprefix("$"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def check_scope(value: object) -> Scope:
    if value not in Scope.values:
        raise Refused("bad_option", f"scope must be one of {', '.join(Scope.values)}, not {shown(value)}.")
    return Scope(str(value))


def check_action(value: object) -> Action:
    if value not in Action.values:
        raise Refused("bad_option", f"action must be one of {', '.join(Action.values)}, not {shown(value)}.")
    return Action(str(value))


def check_mails(value: object) -> bool:
    if type(value) is not bool:
        raise Refused("bad_option", f"mails must be true or false, not {shown(value)}.")
    return value


def check_name(scope: Scope, value: object) -> str:
    """The label or cron that a budget is for; empty for the whole account. Raises Refused."""
    if scope == Scope.ACCOUNT:
        if value not in ("", None):
            raise Refused("bad_option", f"A budget of the whole account has no name: leave out {shown(value)}.")
        return ""
    what = "a label of jobs" if scope == Scope.LABEL else "the label of a cron"
    longest = MAX_LABEL if scope == Scope.LABEL else MAX_LABEL - len(JOB_LABEL.format(""))
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not 0 < len(value) <= longest:
        raise Refused("bad_option", f"name must be {what}, of 1 to {longest} ASCII characters, not {shown(value)}.")
    return value


def label_of(scope: str, name: str) -> str:
    """The label of the jobs that a budget counts; empty for all."""
    return JOB_LABEL.format(name) if scope == Scope.CRON else name
