"""What the clock does for reserved cores and for the capacity behind all cores."""

from common.duties import Duty
from realtime.services.learn import forget, learn

DUTIES = [
    Duty(learn, seconds=5.0),
    Duty(forget, seconds=86_400.0),
]
