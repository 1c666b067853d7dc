"""A request's way through the exchange: admitted, broken where a rule says so, performed, and written into the truth."""

from dataclasses import dataclass

import msgspec

from .api import Api
from .calls import Answer, Call, Route, refusal
from .faults import Faults
from .mutations import MAINTENANCE_PAGE, mutated
from .refusals import RequestRefusedError, too_many
from .rules import Rule, When
from .truth import Truth

_REASONS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


@dataclass(slots=True)
class Delivery:
    """What goes back, and how. Without an answer the connection is cut."""

    answer: Answer | None
    bytes_per_s: float = 0.0
    close: bool = False


class Pipeline:
    def __init__(self, api: Api, faults: Faults, truth: Truth) -> None:
        self._api, self._faults, self._truth = api, faults, truth
        self._agenda = faults.bench.exchange.agenda

    async def deliver(self, call: Call) -> Delivery:
        record = self._truth.received(call)
        delivery = await self._deliver(call, record)
        record["status"] = delivery.answer.status if delivery.answer is not None else None
        self._truth.finished(record)
        return delivery

    async def _deliver(self, call: Call, record: dict[str, object]) -> Delivery:
        if self._agenda.time_ns() < self._faults.bench.maintenance_until_ns:
            return Delivery(Answer(503, MAINTENANCE_PAGE, content_type="text/html; charset=utf-8"))
        refused: Answer | None = None
        admitted: tuple[Route, dict[str, str]] | None = None
        try:
            admitted = self._api.admit(call)
        except RequestRefusedError as error:
            refused = refusal(error)
        if call.key is not None:
            record |= {"account": call.key.account.name, "key": call.key.name}
        hits = self._faults.hits(call)
        record["faults"] = [rule.id for rule in hits]
        early = await self._before(call, hits)
        if early is not None:
            return early
        if admitted is None:
            return await self._after(call, hits, refused or Answer(500, b""))
        record["applied"] = True
        return await self._after(call, hits, self._api.perform(call, *admitted))

    async def _before(self, call: Call, hits: list[Rule]) -> Delivery | None:
        """What comes before the request is looked at; a delivery where it never is."""
        for rule in hits:
            if rule.do == "status" and not rule.args.get("applied", False):
                return Delivery(_status(rule))
            if rule.when != "before_apply":
                continue
            if rule.do == "delay":
                await self._agenda.sleep(rule.args["seconds"])
            elif rule.do == "drop_reply":
                return Delivery(None)
            else:
                self._act(rule, call, None, "before_apply")
        return None

    async def _after(self, call: Call, hits: list[Rule], answer: Answer) -> Delivery:
        delivery = Delivery(answer)
        for rule in hits:
            self._act(rule, call, answer, "after_apply")
        for rule in hits:
            if rule.do == "status" and rule.args.get("applied", False):
                delivery.answer = _status(rule)
            elif rule.do == "mutate":
                delivery.answer = mutated(delivery.answer or answer, rule.args)
            elif rule.do == "slow_drip":
                delivery.bytes_per_s = float(rule.args["bytes_per_s"])
            elif rule.do == "close_after_reply":
                delivery.close = True
            elif rule.do == "delay" and rule.when == "after_apply":
                await self._agenda.sleep(rule.args["seconds"])
            elif rule.do == "drop_reply" and rule.when == "after_apply":
                return Delivery(None)
        return delivery

    def _act(self, rule: Rule, call: Call, answer: Answer | None, when: When) -> None:
        if rule.when == when and rule.do not in self._faults.request_acts:
            self._faults.act(rule, call, answer)


def _status(rule: Rule) -> Answer:
    """The status that a rule asks for, with the exchange's own body where it gives none."""
    code, body = int(rule.args["code"]), rule.args.get("body")
    headers = {str(name): str(value) for name, value in rule.args.get("headers", {}).items()}
    if body is None and code == 429:
        told = refusal(too_many("errors", headers))
    elif body is None and code == 401:
        told = Answer(401, b"Unauthorized\n", headers, "text/plain; charset=utf-8")
    elif body is None:
        word = _REASONS.get(code, "error")
        told = Answer(code, msgspec.json.encode({"error": "INTERNAL" if code >= 500 else "INVALID_ARGUMENT", "message": word}), headers)
    elif isinstance(body, str):
        told = Answer(code, body.encode(), headers, "text/html; charset=utf-8")
    else:
        told = Answer(code, msgspec.json.encode(body), headers)
    return told
