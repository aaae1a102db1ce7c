"""What a call or map would take and cost; nothing is submitted."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, JsonResponse

from api.auth import Caller
from api.errors import api_view, parse_json
from realtime.capacity.tags import Tag
from realtime.display.words import NOTHING_KNOWN, sentence
from realtime.questions import Question, parse_question
from realtime.selectors.tags import tag_for


@api_view("POST")
def estimate(request: HttpRequest, caller: Caller) -> JsonResponse:
    question = parse_question(parse_json(request))
    return JsonResponse(_answer(question, tag_for(caller.account, question)))


def _answer(question: Question, tag: Tag | None) -> dict[str, Any]:
    asked = {"count": question.count, "type": question.options.type, "cores": question.options.cores}
    if tag is None:
        unknown = dict.fromkeys(("basis", "seconds", "core_hours", "price", "elapsed"))
        return {**asked, "runs": 0, **unknown, "words": NOTHING_KNOWN}
    return {
        **asked,
        "runs": tag.estimate.runs,
        "basis": tag.estimate.basis,
        "seconds": asdict(tag.estimate.each),
        "core_hours": asdict(tag.core_hours),
        # As text: an amount of money is exact.
        "price": {name: f"{round(amount, 12).normalize():f}" for name, amount in asdict(tag.price).items()},
        "elapsed": tag.elapsed,
        "words": sentence(tag),
    }
