"""A schedule in words."""

from cron_descriptor import Options, get_description


def describe(fields: tuple[str, ...], *, either_day: bool) -> str:
    """Five valid fields as an English sentence without its full stop."""
    options = Options()
    options.use_24hour_time_format = True
    options.locale_code = "en_US"
    text: str = get_description(" ".join(fields), options)
    if fields[2:] == ("*", "*", "*") and not fields[1].startswith("*") and text.startswith("At "):
        text = f"Every day at {text[3:]}"
    # The library reads two restricted days as Unix does when neither begins with *.
    return text if either_day else text.replace(", or on ", ", and on ")
