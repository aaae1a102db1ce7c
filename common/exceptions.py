"""What a service says when it refuses: one sentence for a person, one code for a program."""


class Refused(Exception):
    """A request that cannot be carried out as asked. `code` is stable; the text is for people.

    `status` is the HTTP status an interface should answer with.
    """

    status = 400

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class NotFound(Refused):
    """Unknown, or somebody else's: the two are never told apart."""

    status = 404


class Conflict(Refused):
    """The state of things does not allow it now."""

    status = 409
