"""The condition on tickets: a backlog."""

from collections.abc import Iterator

from processors.conditions import View, limit_evidence
from processors.due import NEVER
from processors.figures import Sheet
from processors.rule_file import Rule
from processors.ticket_course import turns
from processors.tickets import TicketsState
from processors.vocabulary import shown
from schemas.records import Evidence


class Backlog:
    """Too many tickets are open."""

    def enters(self, view: View, rule: Rule) -> bool:
        """One of the counts is at its limit or above."""
        return any((view.figure(limit.figure) or 0) >= limit.enter for limit in rule.limits)

    def stays(self, view: View, rule: Rule) -> bool:
        """One of the counts is still above its exit."""
        return any((view.figure(limit.figure) or 0) > limit.exit for limit in rule.limits)

    def over(self, view: View, rule: Rule, before: list[str]) -> list[str]:
        """The counts that reached their limit and have not come down to their exit since."""
        found = []
        for limit in rule.limits:
            value = view.figure(limit.figure) or 0
            if value >= limit.enter or (limit.figure in before and value > limit.exit):
                found.append(limit.figure)
        return found

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """Each count against its limit, and the oldest ticket."""
        oldest = Evidence(figure="oldest_open_ticket_days", value=view.figure("oldest_open_ticket_days"))
        return [*(limit_evidence(view, limit) for limit in rule.limits), oldest]

    def explanation(self, view: View, rule: Rule) -> str:
        """The counts, their limits and the age of the oldest ticket."""
        number = int(view.figure("open_tickets") or 0)
        urgent = int(view.figure("open_urgent_tickets") or 0)
        limits = {limit.figure: f"{limit.enter:g}" for limit in rule.limits}
        tickets = "ticket" if number == 1 else "tickets"
        text = f"{number} open {tickets} (limit {limits['open_tickets']})"
        text += f", {urgent} of them urgent (limit {limits['open_urgent_tickets']})"
        if number:
            text += f"; the oldest is open for {shown('oldest_open_ticket_days', view.figure('oldest_open_ticket_days'))}"
        return text + "."

    def complaint_at(self, view: View, _rule: Rule) -> int:
        """Each ticket is a complaint: the newest of them."""
        newest = max((ticket.opened_at for ticket in view.state.tickets.open.values()), default=view.as_of_ms)
        return min(newest, view.as_of_ms)

    def undone(self, view: View, rule: Rule, opened_at: int) -> bool:
        """Neither at the opening nor since did the tickets, as their courses are known now, amount to a backlog.

        The counts are followed from the first ticket on, with the limits and exits of the rule. Not exact where tickets were
        dropped beyond a bound.
        """
        over = False
        counts = [view.state.tickets.overflow_open, 0]
        turned = sorted(_turns(view.state.tickets, opened_at))
        for place, (at, step, is_urgent) in enumerate(turned):
            counts[0] += step
            counts[1] += step if is_urgent else 0
            if place + 1 < len(turned) and turned[place + 1][0] == at:
                continue
            if over and at > opened_at:
                return False
            bounds = [limit.exit if over else limit.enter for limit in rule.limits]
            beyond = zip(counts, bounds, strict=True)
            over = any(count > bound if over else count >= bound for count, bound in beyond)
        return not over

    def resolution(self, view: View, _rule: Rule) -> str:
        """What is left open."""
        number = int(view.figure("open_tickets") or 0)
        return f"{number} {'ticket' if number == 1 else 'tickets'} left open"

    def due(self, _sheet: Sheet, _rule: Rule, *, is_open: bool) -> int:  # noqa: ARG002 - one signature for all conditions
        """Never: tickets neither open nor close by themselves."""
        return NEVER


def _turns(state: TicketsState, opened_at: int) -> Iterator[tuple[int, int, bool]]:
    """When a ticket became open (1) and ceased to be (-1), and whether it is urgent.

    Only the newest priority is remembered: a ticket that was given it after `opened_at` counts as urgent, since it may have been.
    """
    for tickets in (state.open, state.closed):
        for ticket in tickets.values():
            is_urgent = ticket.priority_name == "urgent" or ticket.prioritised_at > opened_at
            for at, step in turns(ticket.history):
                yield ticket.base_ms + at, step, is_urgent
