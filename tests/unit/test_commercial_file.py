import pytest

from processors.definitions import DefinitionsError, parse
from processors.windows import DAY_MS
from tests.support.summed import default_definitions, default_text


def with_section(section: str) -> str:
    text = default_text()
    start = text.index("[commercial]")
    end = text.index("# ---", start)
    return text[:start] + section + "\n" + text[end:]


def test_what_is_left_out_has_the_value_of_the_default_file() -> None:
    assert parse(with_section("")).commercial == default_definitions().commercial


def test_a_currency_has_the_rate_that_is_said_and_the_base_and_the_unnamed_have_1() -> None:
    terms = parse(
        with_section('[commercial]\nbase_currency = "USD"\nrates = { EUR = 1.1 }\ngross_margin_pct = 75\nrenewal_grace_days = 10')
    ).commercial
    assert [terms.rate(currency) for currency in ("USD", "", "EUR", "VND")] == [1.0, 1.0, 1.1, None]
    assert (terms.gross_margin_share, terms.renewal_grace_ms) == (0.75, 10 * DAY_MS)


@pytest.mark.parametrize(
    ("section", "mistake"),
    [
        ("rates = 3", "commercial.rates: 3 is not what belongs here"),
        ("rates = { USD = 0 }", "commercial.rates.USD: 0 is not a rate"),
        ('rates = { USD = "x" }', "commercial.rates.USD: 'x' is not a rate"),
        ("rates = { EUR = 2 }", "commercial.rates.EUR: is the base currency itself"),
        ("rates = { usd = 2 }", "commercial.rates.usd: 'usd' is no currency (expected: three capital letters"),
        ('base_currency = "Euro"', "commercial.base_currency: 'Euro' is no currency (expected: three capital letters"),
        ("gross_margin_pct = 120", "commercial.gross_margin_pct: 120 is out of range"),
        ("margin = 2", "commercial.margin: is not known here"),
        ("rates = { " + ", ".join(f"C{number} = 1" for number in range(65)) + " }", "commercial.rates: there are 65 of them"),
    ],
)
def test_every_mistake_is_told_with_its_place(section: str, mistake: str) -> None:
    with pytest.raises(DefinitionsError) as told:
        parse(with_section("[commercial]\n" + section))
    assert [str(one) for one in told.value.mistakes if str(one).startswith(mistake)]
