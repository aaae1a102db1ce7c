"""Sending texts to people."""

import logging
from collections.abc import Sequence
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


def mail(address: str | None, subject: str, template: str, context: dict[str, object]) -> bool:
    """Send a text; False when it should be tried again.

    True also when there is nobody to send it to, and when the server says that it will never take the address.
    """
    if not address:
        return True
    text = render_to_string(template, {**context, "public_url": settings.PUBLIC_URL})
    try:
        send_mail(f"[PiCloud] {subject}", text, None, [address])
    except (SMTPException, OSError) as error:
        if _is_for_good(error):
            logger.error("mail to %s was refused for good, and is not tried again: %s", address, error)
            return True
        logger.error("mail to %s was not sent, to be tried again: %s", address, error)
        return False
    return True


def _is_for_good(error: Exception) -> bool:
    """Whether all addresses were refused with codes that are permanent; others, as of a full mailbox, pass."""
    if not isinstance(error, SMTPRecipientsRefused):
        return False
    codes = [code for code, _ in error.recipients.values()]
    return bool(codes) and all(500 <= code < 600 for code in codes)


def mail_events(
    events: Sequence[Any], address: str | None, subject: str, template: str, context: dict[str, object]
) -> bool:
    """Send a text about rows of one model whose `mail_due` is set, and unset it; False when there is more to do.

    They are taken before: of two clocks at once only one mails them. What cannot be sent is due again.
    """
    rows = type(events[0]).objects.filter(pk__in=[event.pk for event in events])
    with transaction.atomic():
        if rows.filter(mail_due=True).update(mail_due=False) < len(events):
            # Another clock has some of them; the others stay due.
            transaction.set_rollback(True)
            return False
    if mail(address, subject, template, context):
        return True
    rows.update(mail_due=True)
    return False
