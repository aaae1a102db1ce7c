"""A real browser on pages of a server in this process. It has no event streams, so pages ask by themselves."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from environments.models import Environment

# Playwright keeps an event loop in this thread; Django would refuse to touch the database beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(autouse=True)
def base_environment(core_types: None) -> Environment:
    return Environment.objects.create(name="base", image="localhost/picloud/base:test", digest="test", python="3.11")


def is_violation(message: ConsoleMessage) -> bool:
    return "Content Security Policy" in message.text or "Refused to" in message.text


class Watched:
    """Contexts of the browser whose pages may not break the content security policy, nor throw."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self.browser, self.base_url = browser, base_url
        self.faults: list[str] = []
        self.contexts: list[BrowserContext] = []

    def page(self, user: Any = None, **options: Any) -> Page:
        context = self.browser.new_context(base_url=self.base_url, **options)
        self.contexts.append(context)
        if user is not None:
            context.add_cookies([self._session_of(user)])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.faults.append(message.text) if is_violation(message) else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def _session_of(self, user: Any) -> Any:
        client = Client()
        client.force_login(user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        return {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.base_url}


@pytest.fixture
def watched(browser: Browser, live_server: Any) -> Iterator[Watched]:
    watched = Watched(browser, live_server.url)
    yield watched
    for context in watched.contexts:
        context.close()
    assert watched.faults == []


@pytest.fixture
def page(watched: Watched, alice: Any) -> Page:
    """A page of Alice's."""
    return watched.page(alice)
