"""What every request of a signed-in person gets."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

Answer = Callable[[HttpRequest], HttpResponse]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        # The zone was known when it was chosen; zone databases drop names.
        return ZoneInfo("UTC")


def show_times_in_own_zone(get_response: Answer) -> Answer:
    """Pages show times in the zone that the person chose in their profile."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # Without a session there is no person, and the API is spared a look for one.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return get_response(request)
        with timezone.override(_zone(request.user.time_zone)):
            return get_response(request)

    return middleware
