"""How a jid stands in an address."""


class JidConverter:
    """A whole number without a sign; one with more digits than any jid has is no address of ours."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)
