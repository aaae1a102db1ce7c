"""What every page may show, whoever asks for it."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

THEMES = ("system", "light", "dark")
THEME_COOKIE = "picloud_theme"

# What a newcomer runs first.
FIRST_LINES = "import cloud\njid = cloud.call(lambda: 6 * 7)\nprint(cloud.result(jid))"


def theme_of(request: HttpRequest) -> str:
    """The look this browser chose; anything unknown in the cookie is the system's own."""
    chosen = request.COOKIES.get(THEME_COOKIE, "system")
    return chosen if chosen in THEMES else "system"


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "theme": theme_of(request),
        "without_sandbox": settings.SANDBOX == "process",
        "sign_up_open": settings.SIGN_UP_OPEN,
        "public_url": settings.PUBLIC_URL,
        "first_lines": FIRST_LINES,
        "server_now": timezone.now(),
        "debug": settings.DEBUG,
    }
