"""Every operation of the API: one method of one address, what it takes, and what it answers."""

from api.operations.base import Operation, answer
from api.operations.billing import BILLING
from api.operations.budgets import BUDGETS
from api.operations.crons import CRONS
from api.operations.estimates import ESTIMATES
from api.operations.files import FILES
from api.operations.installation import KEYS, PLACE
from api.operations.jobs import JOBS
from api.operations.modules import MODULES
from api.operations.realtime import REALTIME
from api.operations.streams import STREAMS

OPERATIONS = [
    *JOBS, *ESTIMATES, *CRONS, *REALTIME, *MODULES, *FILES, *BILLING, *BUDGETS, *KEYS, *PLACE, *STREAMS,
]  # fmt: skip

__all__ = ["OPERATIONS", "Operation", "answer"]
