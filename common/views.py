"""What belongs to no room: the choice between dark and light, and the little picture of the site."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.views.decorators.http import require_GET, require_POST

from common.context import THEME_COOKIE, THEMES
from common.exceptions import Refused
from common.redirects import page_before

ONE_YEAR = 365 * 24 * 3600  # seconds


@require_POST
def theme_choose(request: HttpRequest) -> HttpResponse:
    """Remember the look in a cookie, which the server reads: no page flashes in the wrong one."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        raise Refused("bad_theme", "The look must be one of system, light or dark.")
    response = HttpResponseRedirect(page_before(request, otherwise="/"))
    response.set_cookie(
        THEME_COOKIE, chosen, max_age=ONE_YEAR, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
    )
    return response


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it at this address on pages that name no picture, such as those of the admin site."""
    return HttpResponseRedirect(static("favicon.svg"))
