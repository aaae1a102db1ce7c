"""Rows of money: what was charged for what, and what may be spent."""

from billing.models.books import Books, Reconciliation
from billing.models.ledger import Kind, LedgerDay, LedgerEntry
from billing.models.limits import Action, Brake, Budget, KeyHour, LimitEvent, Scope
from billing.models.rates import Rate, RateKind
from billing.models.reservations import SettledReservation
from billing.models.statements import Statement
from billing.models.storage import StorageDay

__all__ = [
    "Action",
    "Books",
    "Brake",
    "Budget",
    "KeyHour",
    "Kind",
    "LedgerDay",
    "LedgerEntry",
    "LimitEvent",
    "Rate",
    "RateKind",
    "Reconciliation",
    "Scope",
    "SettledReservation",
    "Statement",
    "StorageDay",
]
