"""The request of a page: somebody is signed in, and htmx may have sent it."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class PageRequest(HttpRequest):
    user: User
    htmx: HtmxDetails
