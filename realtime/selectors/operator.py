"""Who may see the capacity of the whole installation."""

from accounts.models import User
from common.exceptions import NotFound


def check_operator(user: User) -> None:
    """Raises NotFound for all but staff."""
    if not user.is_staff:
        raise NotFound("page_unknown", "There is no such page.")
