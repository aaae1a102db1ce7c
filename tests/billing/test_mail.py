"""Mail that a server refuses: tried again when that may help."""

from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest

from common.mail import mail

ADDRESS = "alice@example.org"


@pytest.mark.parametrize(
    ("error", "is_done"),
    [
        (SMTPRecipientsRefused({ADDRESS: (550, b"no such user")}), True),
        (SMTPRecipientsRefused({ADDRESS: (450, b"mailbox is busy")}), False),
        (SMTPRecipientsRefused({ADDRESS: (550, b"no"), "bob@example.org": (451, b"later")}), False),
        (SMTPServerDisconnected("gone"), False),
    ],
)
def test_an_address_that_is_refused_for_good_is_not_tried_again(
    error: Exception, is_done: bool, monkeypatch: Any, caplog: Any
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr("common.mail.send_mail", refuse)
    assert mail(ADDRESS, "x", "billing/mail/limits.txt", {"username": "alice", "events": []}) is is_done
    assert ("refused for good" in caplog.text) is is_done
