"""What every answer carries, and how a refusal becomes a page."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.exceptions import Refused

Answer = Callable[[HttpRequest], HttpResponse]

# django-rq's pages are written with scripts and handlers inside the HTML. Only staff see them.
INLINE_SCRIPT_PATHS = ("/admin/django_rq/",)


def upload_origin() -> str:
    """The origin that browsers send files to directly, or nothing when files pass through us."""
    if not (settings.S3_BUCKET and settings.S3_ENDPOINT_URL):
        return ""
    parts = urlsplit(settings.S3_ENDPOINT_URL)
    return f"{parts.scheme}://{parts.netloc}"


def policy_for(path: str) -> str:
    """The content security policy of the page at this path."""
    rules = [
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "img-src 'self' data:",
        f"connect-src 'self' {upload_origin()}".rstrip(),
    ]
    if path.startswith(INLINE_SCRIPT_PATHS):
        rules += ["script-src 'self' 'unsafe-inline'", "style-src 'self' 'unsafe-inline'"]
    return "; ".join(rules)


def content_security_policy(get_response: Answer) -> Answer:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy_for(request.path))
        return response

    return middleware


class RefusalPages:
    """Answers a page that was refused with a page that says so, in the words of the refusal."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        template = "404.html" if exception.status == 404 else "400.html"
        return render(request, template, {"sentence": exception.message}, status=exception.status)
