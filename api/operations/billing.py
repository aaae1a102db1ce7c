"""Operations on money, all of which only read."""

from api.operations.base import Operation, answer, in_path, in_query, raw
from api.shapes import MONEY, Schema, array, mapping, moment, obj, or_null, text, whole
from billing.display.export import COLUMNS
from billing.models import Kind
from billing.models.ledger import NAMES
from billing.selectors.months import CUTS, SHOWN
from billing.selectors.statements import UNITS

MONTH = text("Such as 2026-11; months begin and end at midnight UTC.", pattern=r"^\d{4}-\d{2}$")
IN_PATH = in_path("month", MONTH, "A month, such as 2026-11.")
IN_QUERY = in_query("month", MONTH, "A month, such as 2026-11; the present one when left out.")
KIND = text("What it is for.", enum=list(Kind))
SUMS: dict[str, Schema] = {"cost": MONEY, "core_hours": text("A decimal number."), "runs": whole(minimum=0)}
LINE = obj(
    {
        "name": {"type": ["string", "integer", "null"], "description": "null is for what has none."},
        "note": or_null(text("What its owner calls a key.")),
        **SUMS,
    }
)
BY = obj({column: array(LINE) for column in CUTS}, description="The dearest names first.")
_TEXTS = {name: or_null(text()) for name in ("core_type", "function", "label", "cron", "note")}
_NUMBERS = {name: or_null(whole()) for name in ("cores", "api_key", "reservation", "first_jid", "last_jid", "bytes")}
_ENTRY: dict[str, Schema] = {
    **_TEXTS,
    **_NUMBERS,
    "entry": whole("Its number; `before` takes it."),
    "hour": moment("The hour it is charged in."),
    "kind": KIND,
    "runs": whole(minimum=0),
    "core_ms": whole("Milliseconds x cores.", minimum=0),
    "price": MONEY,
    "cost": MONEY,
}
ENTRY = obj({name: _ENTRY[name] for name in COLUMNS}, description="A line of the ledger. It is never changed.")
_UNITS = list(dict.fromkeys(UNITS.values()))
BILL_LINE = obj(
    {
        "kind": KIND,
        "core_type": or_null(text()),
        "reservation": or_null(whole()),
        "quantity": or_null(text("A decimal number.")),
        "unit": or_null(text(enum=_UNITS)) | {"enum": [*_UNITS, None]},
        "price": or_null(MONEY),
        "note": or_null(text()),
        **SUMS,
    }
)
CLOSED = obj({"month": MONTH, "closed": moment(), "cost": MONEY, "entries": whole("Lines of the ledger.")})

PRICE = obj(
    {
        "dollars": MONEY,
        "reserved": or_null(text("Dollars of a core-hour that stands ready for one account.")),
        "since": moment(),
        "until": or_null(moment()),
    }
)

BILLING = [
    Operation(
        id="getMonth",
        method="GET",
        path="/billing",
        tag="billing",
        summary="What a month has come to, and what it was for",
        parameters=(IN_QUERY,),
        answers={
            200: answer(
                "The month.",
                obj(
                    {
                        "month": MONTH,
                        **SUMS,
                        "forecast": or_null(text("Dollars at its end, of the present month alone.")),
                        "kinds": array(obj({"kind": KIND, "core_type": or_null(text()), **SUMS})),
                        "days": mapping(array(MONEY), "By core type or other thing: what was used on each day."),
                        "by": BY,
                        "others": obj(
                            {column: {"anyOf": [obj(SUMS), {"type": "null"}]} for column in CUTS},
                            description=f"What the names come to that are not among the first {SHOWN}.",
                        ),
                    }
                ),
            )
        },
        errors=("bad_month", "bad_request"),
    ),
    Operation(
        id="listEntries",
        method="GET",
        path="/billing/entries",
        tag="billing",
        summary="Lines of the ledger of a month, newest first",
        description="A name that is given and empty asks for the lines without it.",
        parameters=(
            IN_QUERY,
            *(in_query(name, text(), f"Only lines of this {name}.") for name in NAMES),
            in_query("before", whole(), "Go on before this line: `next` of the page before."),
            in_query("limit", whole(minimum=1, maximum=200, default=50), "Lines in one answer."),
        ),
        answers={
            200: answer(
                "A page of lines.",
                obj({"entries": array(ENTRY), "next": or_null(whole("Pass it as `before` for the next page."))}),
            )
        },
        errors=("bad_month", "bad_filter", "bad_number", "entry_unknown", "bad_request"),
    ),
    Operation(
        id="listStatements",
        method="GET",
        path="/billing/statements",
        tag="billing",
        summary="Closed months, newest first",
        answers={
            200: answer(
                "All of them.",
                obj(
                    {"statements": array(obj({"month": MONTH, "closed": moment(), "cost": MONEY, "entries": whole()}))}
                ),
            )
        },
    ),
    Operation(
        id="getStatement",
        method="GET",
        path="/billing/statements/{month}",
        tag="billing",
        summary="The statement of a month",
        description="Of a month that is not closed, as it stands: `closed` is null.",
        parameters=(IN_PATH,),
        answers={
            200: answer(
                "The statement.",
                obj(
                    {
                        "month": MONTH,
                        "account": text(),
                        "closed": or_null(moment()),
                        **SUMS,
                        "entries": whole("Lines of the ledger."),
                        "lines": array(BILL_LINE),
                        "by": BY,
                    }
                ),
            )
        },
        errors=("bad_month", "statement_unknown"),
    ),
    Operation(
        id="getEntriesCsv",
        method="GET",
        path="/billing/statements/{month}/entries.csv",
        tag="billing",
        summary="All lines of a month for a spreadsheet, oldest first",
        description="Text that a spreadsheet would take for a formula has an apostrophe before it.",
        parameters=(IN_PATH,),
        answers={200: raw("A header, and a row for each line.", "text/csv")},
        errors=("bad_month",),
    ),
    Operation(
        id="listRates",
        method="GET",
        path="/billing/rates",
        tag="billing",
        summary="What things cost, cost before, and will cost",
        answers={
            200: answer(
                "Core types, then other things.",
                obj(
                    {
                        "rates": array(
                            obj(
                                {
                                    "name": text("A core type, priced by the core-hour; or storage, by the GB-month."),
                                    "prices": array(
                                        obj(
                                            {
                                                "dollars": MONEY,
                                                "reserved": or_null(MONEY),
                                                "since": moment(),
                                                "until": or_null(moment()),
                                            }
                                        ),
                                        "The newest first.",
                                    ),
                                }
                            )
                        )
                    }
                ),
            )
        },
    ),
]
