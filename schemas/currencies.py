"""What a currency is called."""

from typing import Final

FORM: Final = "three capital letters as in ISO 4217, like EUR"


def is_currency(name: str) -> bool:
    """Whether a name has the form of a code of ISO 4217; whether the code exists is not looked up."""
    return len(name) == 3 and name.isascii() and name.isalpha() and name.isupper()
