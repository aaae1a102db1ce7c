"""Who is signed in, for pages that nobody else reaches."""

from django.http import HttpRequest

from accounts.models import User


def person(request: HttpRequest) -> User:
    """The signed-in user. Only for views behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user
