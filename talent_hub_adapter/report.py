"""What the adapter says about an export: one line per candidate, a summary, or one JSON object."""

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

from talent_hub_adapter.writer import Outcome, Status


def line_of(outcome: Outcome) -> str:
    """Write the line of one candidate."""
    who = f"{outcome.candidate.hris_request_id}  {outcome.candidate.full_name}"
    match outcome.status:
        case Status.EXPORTED:
            return one_line(f"exported  {who}  ->  {outcome.exported_candidate_id or '(id not read back)'}")
        case Status.ALREADY_EXPORTED:
            return one_line(f"already   {who}  ->  {outcome.exported_candidate_id}")
        case Status.FAILED:
            return one_line(f"failed    {who} : {outcome.failure}")
        case _:
            assert_never(outcome.status)


def summary_of(outcomes: Sequence[Outcome]) -> str:
    """Write the summary line."""
    counts = Counter(outcome.status for outcome in outcomes)
    return f"{len(outcomes)} candidates: " + ", ".join(f"{counts[status]} {status}" for status in Status)


def json_of(outcomes: Sequence[Outcome]) -> str:
    """Write all results as one JSON object."""
    counts = Counter(outcome.status for outcome in outcomes)
    content = {
        "exported": counts[Status.EXPORTED],
        "already_exported": counts[Status.ALREADY_EXPORTED],
        "failed": counts[Status.FAILED],
        "candidates": [_json_object(outcome) for outcome in outcomes],
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def _json_object(outcome: Outcome) -> dict[str, object]:
    candidate = outcome.candidate
    return {
        "hiring_context": candidate.hiring_context,
        "hris_request_id": candidate.hris_request_id,
        "first_name": candidate.first_name,
        "last_name": candidate.last_name,
        "status": outcome.status,
        "exported_candidate_id": outcome.exported_candidate_id,
        "error": asdict(outcome.failure) if outcome.failure else None,
    }


def one_line(text: str) -> str:
    """Replace control characters and line ends, which would break the one line that each candidate has."""
    return "".join("\ufffd" if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"} else c for c in text)
