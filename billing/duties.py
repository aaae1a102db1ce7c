"""What the clock does for the books."""

import logging

from billing.services.brake import check_keys
from billing.services.credit import give_credit
from billing.services.enforce import check_budgets, check_forecasts
from billing.services.notices import send_notices
from billing.services.rates import RateMissing
from billing.services.reconcile import reconcile_nightly
from billing.services.reservations import post_reserved_hours
from billing.services.statements import close_months
from billing.services.storage import measure_storage
from billing.services.transfers import charge_transfers
from billing.services.usage import post_usage
from common.duties import Duty

logger = logging.getLogger(__name__)


def charge_files() -> None:
    """A rate that is missing is the operator's to add; nothing else waits for it."""
    for charge in (measure_storage, charge_transfers):
        try:
            charge()
        except RateMissing as problem:
            logger.error("files are not charged: %s", problem)


DUTIES = [
    Duty(post_usage, seconds=2.0),
    Duty(check_budgets, seconds=5.0),
    Duty(check_forecasts, seconds=600.0),
    Duty(give_credit, seconds=30.0),
    Duty(check_keys, seconds=10.0),
    Duty(send_notices, seconds=10.0),
    Duty(post_reserved_hours, seconds=20.0),
    Duty(charge_files, seconds=600.0),
    Duty(close_months, seconds=600.0),
    Duty(reconcile_nightly, seconds=600.0),
]
