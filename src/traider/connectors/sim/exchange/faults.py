"""Carries out the rules of the fault API."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .acts import ACTS, REQUEST_ACTS, Bench, Context
from .calls import Answer, Call
from .refusals import RequestRefusedError
from .rules import Rule, parse_rule, sized
from .triggers import increments, trigger_rule

_SIGNATURES = REQUEST_ACTS | {name: act.signature for name, act in ACTS.items()}


@dataclass
class Faults:
    """The rules that there are. ``hits`` tells which act on a request; ``act`` carries one out."""

    bench: Bench
    rules: dict[int, Rule] = field(default_factory=dict)
    _count: int = 0

    @property
    def request_acts(self) -> Collection[str]:
        """What is done to the request itself, not by ``act``."""
        return REQUEST_ACTS.keys()

    def add(self, given: object) -> Rule:
        return self.add_all([given])[0]

    def add_all(self, given: list[Any]) -> list[Rule]:
        """New rules, all of them or none; one without a match acts now, or when its time comes."""
        rules = [parse_rule(self._count + number, one, _SIGNATURES) for number, one in enumerate(given, 1)]
        self._count += len(rules)
        for rule in rules:
            self.rules[rule.id] = rule
        try:
            for rule in rules:
                if rule.match is None:
                    self.bench.exchange.later(rule.at_s, partial(self._act_alone, rule, late=rule.at_s > 0))
        except RequestRefusedError:
            for rule in rules:
                del self.rules[rule.id]
            raise
        return rules

    def clear(self) -> None:
        """No rule is left, connections are no longer damaged, and what rules have changed is as it was."""
        self.rules.clear()
        self.bench.mend()

    def hits(self, call: Call) -> list[Rule]:
        """The rules that act on this request, oldest first; counted."""
        found = [rule for rule in self.rules.values() if rule.takes(call)]
        if self.bench.exchange.switches.quantity_triggers and call.method == "POST" and call.path.endswith("/orders"):
            found += self._triggered(call)
        return found

    def _triggered(self, call: Call) -> list[Rule]:
        try:
            body = call.json()
        except RequestRefusedError:
            return []  # no JSON: it is refused as such
        product = self.bench.exchange.products.get(str(body.get("product_id")))
        if product is None:
            return []
        counts = (increments(size, step) for size, step in sized(body, base=product.grid.lot, quote=product.grid.tick))
        given = next((rule for count in counts if (rule := trigger_rule(count)) is not None), None)
        if given is None:
            return []
        return [parse_rule(0, rule | {"match": {}}, _SIGNATURES) for rule in given]

    def act(self, rule: Rule, call: Call, answer: Answer | None) -> None:
        """What the rule does besides the request itself; after ``at`` seconds, if it says so."""
        context = self.bench.context(call, answer)
        self.bench.exchange.later(rule.at_s, lambda: self._late(rule, context))

    def _act_alone(self, rule: Rule, *, late: bool) -> None:
        if rule.id not in self.rules:
            return  # taken back
        rule.done += 1
        context = self.bench.context(None, None)
        if late:
            self._late(rule, context)
        else:
            ACTS[rule.do].carry_out(self.bench, rule.args, context)

    def _late(self, rule: Rule, context: Context) -> None:
        """Nobody waits for an answer: what goes wrong is told with the rule."""
        try:
            ACTS[rule.do].carry_out(self.bench, rule.args, context)
        except RequestRefusedError as refused:
            rule.failed = str(refused.body["message"]) if isinstance(refused.body, dict) else refused.body
