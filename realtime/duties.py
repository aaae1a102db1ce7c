"""What the clock does for reserved cores."""

from common.duties import Duty
from realtime.services.assign import assign
from realtime.services.count import count_usage
from realtime.services.mails import send_mails
from realtime.services.windows import open_windows

DUTIES = [
    Duty(open_windows, seconds=5.0),
    Duty(assign, seconds=1.0),
    Duty(send_mails, seconds=2.0),
    Duty(count_usage, seconds=10.0),
]
