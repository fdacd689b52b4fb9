"""The survey plan: who is asked what and when, in which words, and how the definitions file declares it.

There are two kinds of plans: for a survey after an occasion (CSAT, CES: an interaction at a touchpoint ended, a ticket was
solved), and for one that comes round (NPS, product: some days after onboarding, then again and again).
"""

import re
from collections.abc import Collection
from typing import Final

from msgspec import Struct

from processors.survey_words import OF_A_RANGE, OF_TWO_ANSWERS, Wording
from processors.toml_tables import Table
from processors.windows import DAY_MS, HOUR_MS
from schemas.checks import SCALES, SURVEY_SCALES
from schemas.events import Scale, Survey

_MINUTE_MS: Final = 60_000
_MAX_LOCALES: Final = 64
_MAX_TEXT: Final = 500
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


class OccasionPlan(Struct, frozen=True):
    """A survey after an occasion.

    It is due within `due_within_ms` of the occasion's end and worthless `expires_after_ms` after that end; each respondent is
    asked at most once in `throttle_ms` at a touchpoint. `touchpoints` are those whose interactions are followed by it, and
    `after_tickets` says whether solved tickets are.
    """

    survey: Survey
    scale: Scale
    due_within_ms: int
    expires_after_ms: int
    throttle_ms: int
    touchpoints: frozenset[str]
    after_tickets: bool
    wording: dict[str, Wording]


class CyclePlan(Struct, frozen=True):
    """A survey that comes round: `first_after_ms` after the cycle's beginning (the onboarding), then every `repeat_ms`.

    Each respondent is asked at most once in `throttle_ms`. A question that is blocked or inconvenient waits for
    `defer_at_most_ms`; inconvenient is one while an urgent ticket is open, if `waits_for_urgent` says so.
    """

    survey: Survey
    scale: Scale
    first_after_ms: int
    repeat_ms: int
    throttle_ms: int
    defer_at_most_ms: int
    expires_after_ms: int
    waits_for_urgent: bool
    wording: dict[str, Wording]

    def rounds_until(self, started_at: int, at_ms: int) -> int:
        """How many times the survey has come round up to `at_ms`."""
        return max(0, (at_ms - started_at - self.first_after_ms) // self.repeat_ms + 1)

    def round_at(self, started_at: int, number: int) -> int:
        """When it comes round for the `number`-th time, counted from 1."""
        return started_at + self.first_after_ms + (number - 1) * self.repeat_ms


class SurveyPlan(Struct, frozen=True):
    """The whole plan; only the surveys that are switched on are in it.

    With `needs_consent` only those are asked who have consented, without it everybody who has not opted out. `throttles_ms` are
    those of the plans, by survey.
    """

    default_locale: str
    needs_consent: bool
    occasions: tuple[OccasionPlan, ...]
    cycles: tuple[CyclePlan, ...]
    throttles_ms: dict[Survey, int]

    def plan_of(self, survey: Survey) -> OccasionPlan | CyclePlan | None:
        """The plan of a survey; None when it is not asked."""
        for occasion in self.occasions:
            if occasion.survey == survey:
                return occasion
        for cycle in self.cycles:
            if cycle.survey == survey:
                return cycle
        return None

    def locale_for(self, wanted: str | None, wording: dict[str, Wording]) -> str:
        """The locale to ask in: the one wanted, else its language (`vi` for `vi-VN`), else the default."""
        if wanted is not None:
            folded = {locale.lower().replace("_", "-"): locale for locale in wording}
            tag = wanted.lower().replace("_", "-")
            found = folded.get(tag) or folded.get(tag.partition("-")[0])
            if found is not None:
                return found
        return self.default_locale


def read(top: Table, touchpoints: Collection[str]) -> SurveyPlan:
    """The section `[surveys]`; mistakes are noted at their place. `touchpoints` are those that the file configures."""
    table = top.table("surveys")
    locale = table.text("default_locale", "en")
    needs_consent = table.flag("needs_consent", default=False)
    occasions = (
        _occasion(table.table("csat"), "csat", "good_bad", locale, touchpoints, enabled=True),
        _occasion(table.table("ces"), "ces", "1_7", locale, touchpoints, enabled=False),
    )
    cycles = (
        _cycle(table.table("nps"), "nps", "0_10", locale, 3, enabled=True),
        _cycle(table.table("product"), "product", "1_5", locale, 30, enabled=False),
    )
    table.finish()
    plans = [plan for plan in (*occasions, *cycles) if plan is not None]
    return SurveyPlan(
        default_locale=locale,
        needs_consent=needs_consent,
        occasions=tuple(plan for plan in occasions if plan is not None),
        cycles=tuple(plan for plan in cycles if plan is not None),
        throttles_ms={plan.survey: plan.throttle_ms for plan in plans},
    )


def _occasion(
    table: Table, survey: Survey, scale: Scale, locale: str, touchpoints: Collection[str], *, enabled: bool
) -> OccasionPlan | None:
    """A plan after an occasion; None when it is switched off. What is switched off is checked like the rest."""
    is_on = table.flag("enabled", default=enabled)
    chosen = _scale(table, survey, scale)
    plan = OccasionPlan(
        survey=survey,
        scale=chosen,
        due_within_ms=table.integer("due_within_minutes", 5, least=0, most=24 * 60) * _MINUTE_MS,
        expires_after_ms=table.integer("expires_after_hours", 24, least=1, most=30 * 24) * HOUR_MS,
        throttle_ms=table.integer("throttle_days", 7, least=0, most=365) * DAY_MS,
        touchpoints=_touchpoints(table, touchpoints),
        after_tickets=table.flag("after_tickets", default=True),
        wording=_wording(table, survey, chosen, locale),
    )
    if plan.due_within_ms >= plan.expires_after_ms:
        table.note("due_within_minutes", "the question would have expired before it is due", "less than expires_after_hours")
    table.finish()
    return plan if is_on else None


def _cycle(table: Table, survey: Survey, scale: Scale, locale: str, first_after_days: int, *, enabled: bool) -> CyclePlan | None:
    """A plan that comes round; None when it is switched off. What is switched off is checked like the rest."""
    is_on = table.flag("enabled", default=enabled)
    chosen = _scale(table, survey, scale)
    plan = CyclePlan(
        survey=survey,
        scale=chosen,
        first_after_ms=table.integer("first_after_onboarding_days", first_after_days, least=0, most=365) * DAY_MS,
        repeat_ms=table.integer("repeat_days", 180, least=1, most=3650) * DAY_MS,
        throttle_ms=table.integer("throttle_days", 179, least=0, most=3650) * DAY_MS,
        defer_at_most_ms=table.integer("defer_at_most_days", 30, least=0, most=365) * DAY_MS,
        expires_after_ms=table.integer("expires_after_days", 14, least=1, most=365) * DAY_MS,
        waits_for_urgent=table.flag("wait_while_urgent_ticket_open", default=True),
        wording=_wording(table, survey, chosen, locale),
    )
    if plan.defer_at_most_ms >= plan.repeat_ms:
        table.note("defer_at_most_days", "a deferred question would meet the next one", "less than repeat_days")
    table.finish()
    return plan if is_on else None


def _scale(table: Table, survey: Survey, default: Scale) -> Scale:
    """One of the scales on which the survey may be answered; never two in one plan, since figures are made by scale."""
    scales: tuple[Scale, ...] = SURVEY_SCALES[survey]  # type: ignore[assignment]  # the table names scales only
    return table.choice("scale", scales, default)


def _touchpoints(table: Table, known: Collection[str]) -> frozenset[str]:
    """The touchpoints whose interactions are followed by a question: all when none are named, none of an empty list."""
    if not table.has("touchpoints"):
        return frozenset(known)
    names = table.texts("touchpoints")
    for name in names:
        if name not in known:
            table.note("touchpoints", f'there is no touchpoint "{name}"', "the name of one of the [[touchpoints]]")
    return frozenset(names)


def _wording(table: Table, survey: Survey, scale: Scale, default_locale: str) -> dict[str, Wording]:
    """The words by locale: those of the file, and those that come along for the locales it leaves out."""
    found = dict((OF_TWO_ANSWERS if scale == "good_bad" else OF_A_RANGE)[survey])
    words = table.table("wording")
    given = table.peek("wording")
    locales = list(given) if isinstance(given, dict) else []
    if len(locales) > _MAX_LOCALES:
        table.note("wording", f"there are {len(locales)} locales", f"at most {_MAX_LOCALES}")
    for locale in locales:
        if not _LOCALE.fullmatch(locale):
            words.note(locale, "is not a locale", "a language tag such as en or pt-BR")
        found[locale] = _words(words.table(locale), scale)
    words.finish()
    if default_locale not in found:
        words.note("", f'there is no wording in the default locale "{default_locale}"', f"a table wording.{default_locale}")
    return found


def _words(table: Table, scale: Scale) -> Wording:
    """A question and its answers, as many as the scale wants."""
    question, answers = table.text("question"), table.texts("answers")
    lowest, highest = SCALES[scale]
    all_answers = highest - lowest + 1
    if len(answers) not in (2, all_answers):
        expected = "2, the good one first" if scale == "good_bad" else f"2, for the ends, or {all_answers}, the lowest first"
        table.note("answers", f"there are {len(answers)} of them", expected)
    if any(len(text) > _MAX_TEXT for text in (question, *answers)):
        table.note("", "a text is too long", f"at most {_MAX_TEXT} characters")
    table.finish()
    return Wording(question, answers)
