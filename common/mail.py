"""Sending texts to people."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


def mail(address: str | None, subject: str, template: str, context: dict[str, object]) -> bool:
    """Send a text; True also when there is nobody to send it to, False when it should be tried again."""
    if not address:
        return True
    text = render_to_string(template, {**context, "public_url": settings.PUBLIC_URL})
    try:
        send_mail(f"[PiCloud] {subject}", text, None, [address])
    except (SMTPException, OSError) as error:
        logger.error("mail to %s was not sent, to be tried again: %s", address, error)
        return False
    return True
