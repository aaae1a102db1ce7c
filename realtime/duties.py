"""What the clock does for reserved cores and for the capacity behind all cores."""

from common.duties import Duty
from jobs.services.machines import leave_mark
from realtime.selectors.snapshot import INTERVAL
from realtime.services.assign import assign
from realtime.services.count import count_usage
from realtime.services.hosts import reap
from realtime.services.learn import forget, learn
from realtime.services.mails import send_mails
from realtime.services.reports import note_reports
from realtime.services.scale import forget_decisions, scale
from realtime.services.windows import open_windows

# In a thread of their own: cores are given within a second, whatever is learned meanwhile.
RESERVATIONS = [
    Duty(open_windows, seconds=5.0),
    Duty(assign, seconds=1.0),
]
DUTIES = [
    Duty(send_mails, seconds=2.0),
    Duty(learn, seconds=5.0),
    Duty(forget, seconds=86_400.0),
    Duty(count_usage, seconds=10.0),
    Duty(forget_decisions, seconds=86_400.0),
]
# In a thread of their own: a provider may take a minute to answer.
HOSTS = [
    Duty(leave_mark, seconds=10.0),
    Duty(note_reports, seconds=2.0),
    Duty(reap, seconds=30.0),
    Duty(scale, seconds=INTERVAL),
]
