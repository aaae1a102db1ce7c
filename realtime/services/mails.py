"""Mail about reservations: that the cores are ready, and that they are gone when somebody else ended them."""

from common.mail import mail_events
from realtime.models import ReservationEvent
from realtime.states import EndReason

AT_ONCE = 200  # mails of one round
ENDED = {
    EndReason.MAX_DURATION: "has ended after its maximum duration",
    EndReason.WINDOW_OVER: "has ended with its window",
    EndReason.DENIED: "is denied",
    EndReason.STOPPED: "was ended by the operator",
}


def send_mails() -> int:
    """Mail what is due; how many mails. What cannot be sent is tried again. For the clock."""
    due = ReservationEvent.objects.filter(mail_due=True).select_related("reservation__account").order_by("id")
    return sum(_send(event) for event in due[:AT_ONCE])


def _send(event: ReservationEvent) -> bool:
    row = event.reservation
    context = {"account": row.account, "row": row, "is_ready": event.name == "reservation.ready"}
    return mail_events([event], row.account.email, _subject(event), "realtime/mail/reservation.txt", context)


def _subject(event: ReservationEvent) -> str:
    row = event.reservation
    cores = f"{row.cores} {row.core_type_id} core{'' if row.cores == 1 else 's'}"
    if event.name == "reservation.ready":
        return f"{cores} ready (request {row.number})"
    return f"Request {row.number} for {cores} {ENDED[EndReason(row.end_reason)]}"
