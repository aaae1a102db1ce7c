"""Operations on budgets."""

from api.operations.base import Operation, answer, in_path, question
from api.shapes import MONEY, array, flag, moment, number, obj, or_null, text, whole
from billing.models import Action, Scope
from jobs.states import HOLDING

NUMBER = in_path("number", whole(minimum=1), "Number of a budget of the account.")
ACTION = text("When it is spent: mail only, hold new jobs, or also kill running ones.", enum=Action.values)
AMOUNT = {"anyOf": [number(minimum=0.01, maximum=1_000_000), MONEY], "description": "Dollars of a month, in cents."}
READ = ("bad_json", "too_large", "cut_off", "not_in_a_job")

BUDGET = obj(
    {
        "budget": whole("Its number.", minimum=1),
        "scope": text(enum=Scope.values),
        "name": or_null(text("The label or cron that it counts; null for the whole account.")),
        "amount": MONEY,
        "action": ACTION,
        "mails": flag("Whether its owner is mailed at 50, 80 and 100 %, and when it will not last."),
        "month": text("The month that the rest is about, UTC.", pattern=r"^\d{4}-\d{2}$"),
        "spent": {**MONEY, "description": "With what runs now."},
        "running": {**MONEY, "description": "Of that, what runs now has used."},
        "left": MONEY,
        "percent": whole("Spent; 100 and more is all of it."),
        "forecast": or_null({**MONEY, "description": "At the end of the month, by the pace of the last whole days."}),
        "holds": flag("Whether jobs are held for it."),
        "waived": flag("Whether it holds nothing for the rest of the month."),
    }
)
HELD = obj(
    {
        "reason": text(enum=sorted(reason.value for reason in HOLDING)),
        "sentence": text("Why, until when, and what to do."),
        "since": moment(),
        "label": or_null(text("The label whose jobs are held; null for any.")),
        "api_key": or_null(whole("The key whose jobs are held; null for any.")),
        "jobs": whole("How many wait for it.", minimum=0),
        "budget": or_null(whole("The budget that holds them.")),
        "brake": or_null(whole("The brake that holds them.")),
    }
)

BUDGETS = [
    Operation(
        id="listBudgets",
        method="GET",
        path="/budgets",
        tag="budgets",
        summary="Budgets as they stand, and what is held",
        answers={200: answer("All of the account.", obj({"budgets": array(BUDGET), "held": array(HELD)}))},
    ),
    Operation(
        id="setBudget",
        method="POST",
        path="/budgets",
        tag="budgets",
        summary="Set a budget",
        body=question(
            obj(
                {
                    "amount": AMOUNT,
                    "scope": text(enum=Scope.values, default="account"),
                    "name": or_null(text("Label or cron; left out for the whole account.", maxLength=200)),
                    "action": {**ACTION, "default": "hold"},
                    "mails": flag(default=True),
                },
                optional=("scope", "name", "action", "mails"),
                additionalProperties=False,
                examples=[{"amount": "20.00"}, {"amount": 5, "scope": "label", "name": "night", "action": "kill"}],
            )
        ),
        answers={201: answer("Set, and in force.", BUDGET)},
        errors=(
            *READ,
            "bad_amount",
            "bad_option",
            "unknown_option",
            "budget_exists",
            "too_many_budgets",
            "cron_unknown",
        ),
    ),
    Operation(
        id="getBudget",
        method="GET",
        path="/budgets/{number}",
        tag="budgets",
        summary="One budget as it stands",
        parameters=(NUMBER,),
        answers={200: answer("The budget.", BUDGET)},
        errors=("budget_unknown",),
    ),
    Operation(
        id="changeBudget",
        method="PATCH",
        path="/budgets/{number}",
        tag="budgets",
        summary="Change what a budget allows or does",
        description="What is left out stays as it is. A raised one lets jobs go on at once.",
        parameters=(NUMBER,),
        body=question(
            obj(
                {"amount": AMOUNT, "action": ACTION, "mails": flag()},
                optional=("amount", "action", "mails"),
                additionalProperties=False,
            )
        ),
        answers={200: answer("The budget as it is now.", BUDGET)},
        errors=(*READ, "budget_unknown", "bad_amount", "bad_option", "unknown_option"),
    ),
    Operation(
        id="removeBudget",
        method="DELETE",
        path="/budgets/{number}",
        tag="budgets",
        summary="Remove a budget; what it holds goes on",
        parameters=(NUMBER,),
        answers={204: {"description": "Removed."}},
        errors=("budget_unknown", "not_in_a_job"),
    ),
    Operation(
        id="waiveBudget",
        method="POST",
        path="/budgets/{number}/waive",
        tag="budgets",
        summary="Let a budget hold nothing for the rest of the month",
        parameters=(NUMBER,),
        answers={200: answer("The budget as it is now.", BUDGET)},
        errors=("budget_unknown", "not_in_a_job"),
    ),
    Operation(
        id="liftBrake",
        method="POST",
        path="/brakes/{number}/lift",
        tag="budgets",
        summary="Let the jobs of a braked API key go on",
        description="It is not braked again within a day.",
        parameters=(in_path("number", whole(minimum=1), "Number of a brake; `held` of the budgets names it."),),
        answers={200: answer("Lifted.", obj({"brake": whole(), "api_key": whole()}))},
        errors=("brake_unknown", "not_in_a_job"),
    ),
]
