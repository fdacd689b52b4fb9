from collections.abc import Iterable

import pytest

from processors.definitions import Definitions, DefinitionsError, parse
from processors.survey_file import CyclePlan, OccasionPlan
from processors.survey_words import OF_A_RANGE, OF_TWO_ANSWERS, Wording
from processors.windows import DAY_MS, HOUR_MS
from tests.support.judging import default_text


def parsed(surveys: str) -> Definitions:
    """The default definitions with another section on surveys."""
    before, _, rest = default_text().partition("[surveys]\n")
    after = rest[rest.index("# ---") :]
    return parse(before + surveys + "\n" + after)


def mistakes(surveys: str) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionsError) as raised:
        parsed(surveys)
    return [(mistake.place, mistake.message) for mistake in raised.value.mistakes]


def occasions(definitions: Definitions) -> dict[str, OccasionPlan]:
    return {plan.survey: plan for plan in definitions.surveys.occasions}


def cycles(definitions: Definitions) -> dict[str, CyclePlan]:
    return {plan.survey: plan for plan in definitions.surveys.cycles}


def test_the_defaults_are_those_of_the_domain() -> None:
    definitions = parsed("[surveys]")
    csat, nps = occasions(definitions)["csat"], cycles(definitions)["nps"]
    assert (csat.due_within_ms, csat.expires_after_ms, csat.throttle_ms) == (5 * 60_000, 24 * HOUR_MS, 7 * DAY_MS)
    assert (csat.touchpoints, csat.after_tickets) == (frozenset(definitions.touchpoints), True)
    days = (nps.first_after_ms, nps.repeat_ms, nps.throttle_ms, nps.defer_at_most_ms, nps.expires_after_ms)
    assert [value // DAY_MS for value in days] == [3, 180, 179, 30, 14]
    assert (len(definitions.surveys.occasions), len(definitions.surveys.cycles)) == (1, 1)
    assert not definitions.surveys.needs_consent


def test_a_number_that_is_left_out_has_the_value_that_stands_in_the_default_file() -> None:
    everything = "".join(f"[surveys.{survey}]\nenabled = true\n" for survey in ("csat", "nps", "ces", "product"))
    everything = everything.replace("[surveys.ces]\n", "[surveys.ces]\ntouchpoints = []\n")
    assert parsed(everything).surveys == parse(default_text().replace("enabled = false", "enabled = true")).surveys


def test_the_words_that_come_along_are_those_of_the_default_file() -> None:
    definitions = parse(default_text())
    assert occasions(definitions)["csat"].wording == OF_TWO_ANSWERS["csat"]
    assert cycles(definitions)["nps"].wording == OF_A_RANGE["nps"]


@pytest.mark.parametrize("words", [OF_TWO_ANSWERS, OF_A_RANGE])
def test_every_survey_comes_along_in_english_and_vietnamese(words: dict[str, dict[str, Wording]]) -> None:
    assert all(set(locales) == {"en", "vi"} for locales in words.values())
    assert all(len(wording.answers) == 2 for locales in words.values() for wording in locales.values())


def test_a_business_has_words_and_locales_of_its_own() -> None:
    definitions = parsed(
        """
[surveys]
default_locale = "de"
[surveys.csat.wording.de]
question = "Wie war es?"
answers = ["Gut", "Schlecht"]
[surveys.nps.wording.de]
question = "Empfehlen Sie uns?"
answers = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
[surveys.ces.wording.de]
question = "War es leicht?"
answers = ["Schwer", "Leicht"]
[surveys.product.wording.de]
question = "Und das Produkt?"
answers = ["Schlecht", "Gut"]
"""
    )
    plan = occasions(definitions)["csat"]
    assert plan.wording["de"] == Wording("Wie war es?", ("Gut", "Schlecht"))
    assert set(plan.wording) == {"de", "en", "vi"}
    assert definitions.surveys.locale_for("de-AT", plan.wording) == "de"
    assert definitions.surveys.locale_for("fr", plan.wording) == "de"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(None, "en"), ("vi", "vi"), ("vi-VN", "vi"), ("VI_vn", "vi"), ("fr", "en"), ("v", "en"), ("", "en")],
)
def test_a_locale_is_served_by_its_language_and_else_by_the_default(wanted: str | None, expected: str) -> None:
    definitions = parse(default_text())
    assert definitions.surveys.locale_for(wanted, OF_TWO_ANSWERS["csat"]) == expected


@pytest.mark.parametrize(
    ("surveys", "places"),
    [
        ("[surveys.nps]\nscale = '1_5'", ["surveys.nps.scale"]),
        ("[surveys.nps]\nscale = ['0_10', '1_10']", ["surveys.nps.scale"]),
        ("[surveys.ces]\nscale = '1_5'", ["surveys.ces.scale"]),
        ("[surveys.csat]\ntouchpoints = ['moon', 'trial', 'other']", ["surveys.csat.touchpoints"] * 2),
        ("[surveys.csat]\ndue_within_minutes = 120\nexpires_after_hours = 2", ["surveys.csat.due_within_minutes"]),
        ("[surveys.nps]\nrepeat_days = 30", ["surveys.nps.defer_at_most_days"]),
        ("[surveys.nps]\nrepeat_days = -1\nthrottle_days = 'x'", ["surveys.nps.repeat_days", "surveys.nps.throttle_days"]),
        ("[surveys]\nneeds_consent = 1\nlocale = 'en'", ["surveys.needs_consent", "surveys.locale"]),
        ("[surveys.hearts]\nscale = '1_5'", ["surveys.hearts"]),
        ("[surveys.csat.wording.en]\nquestion = ''\nanswers = ['a', 'b']", ["surveys.csat.wording.en.question"]),
        ("[surveys.csat.wording.en]\nquestion = 'q'\nanswers = ['a']", ["surveys.csat.wording.en.answers"]),
        ("[surveys.nps.wording.en]\nquestion = 'q'\nanswers = ['a', 'b', 'c']", ["surveys.nps.wording.en.answers"]),
        ("[surveys.nps.wording.e]\nquestion = 'q'\nanswers = ['a', 'b']", ["surveys.nps.wording.e"]),
        (f"[surveys.nps.wording.en]\nquestion = '{'q' * 501}'\nanswers = ['a', 'b']", ["surveys.nps.wording.en"]),
        ("[surveys]\nnps = 5", ["surveys.nps"]),
        ("[surveys.nps]\nwording = 5", ["surveys.nps.wording"]),
    ],
)  # fmt: skip
def test_every_mistake_is_told_with_its_place(surveys: str, places: Iterable[str]) -> None:
    assert [place for place, _ in mistakes(surveys)] == list(places)


def test_a_default_locale_without_words_is_a_mistake_in_every_survey() -> None:
    found = mistakes("[surveys]\ndefault_locale = 'fr'")
    assert [place for place, _ in found] == [f"surveys.{survey}.wording" for survey in ("csat", "ces", "nps", "product")]


def test_a_survey_that_is_switched_off_is_checked_like_the_others() -> None:
    assert mistakes("[surveys.product]\nenabled = false\nscale = '1_9'")


def test_when_a_survey_comes_round_is_counted_from_the_onboarding() -> None:
    nps = cycles(parse(default_text()))["nps"]
    for at, number in ((0, 0), (3 * DAY_MS - 1, 0), (3 * DAY_MS, 1), (183 * DAY_MS - 1, 1), (183 * DAY_MS, 2)):
        assert nps.rounds_until(1000, 1000 + at) == number
    assert nps.round_at(1000, 2) == 1000 + 183 * DAY_MS
