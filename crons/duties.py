"""What the clock does for crons."""

from common.duties import Duty
from crons.selectors import next_due
from crons.services.alerts import send_alerts
from crons.services.digests import send_digests
from crons.services.history import forget_old_runs
from crons.services.judge import judge
from crons.services.ticker import tick

# In a thread of its own, where nothing else holds it up.
TICKER = Duty(tick, seconds=1.0, next_due=next_due)
DUTIES = [
    Duty(judge, seconds=1.0),
    Duty(send_alerts, seconds=10.0),
    Duty(send_digests, seconds=60.0),
    Duty(forget_old_runs, seconds=3600.0),
]
