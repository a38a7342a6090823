"""Which of the hits on the same words may stand: harm silences the technique it spoils, the telling code wins."""

from __future__ import annotations

from collections.abc import Sequence

from bot.appraisal.lexicon import Hit
from bot.appraisal.segments import Said, Span

_SOFT = frozenset({"pace_emotion", "pace_fact", "pace_expectation", "pace_motive", "vent_hold", "self_regulate"})
_PROMISING = frozenset({
    "same_side", "peak_moment", "third_option", "lead_solution", "warm_close", "pace_expectation", "small_help",
    "give_before_ask", "soft_explain", "expectation_mgmt",
})  # fmt: skip
# harm code -> techniques it silences in its own sentence
_SENTENCE_WIDE: dict[str, frozenset[str]] = {
    "but_negation": _SOFT | {"soft_explain", "compliant_script", "accept_reality", "same_side"},
    "overpromise": _PROMISING,
    "false_promise_credit": _PROMISING | {"refuse_concede", "lead_solution"},
    "cave_in": _PROMISING | {"refuse_concede"},
    "premature_lead": frozenset({"lead_solution", "third_option", "probe_6w3h", "give_before_ask"}),
    "interrogate": frozenset({"probe_6w3h", "iceberg_dig", "pace_fact"}),
    "ultimatum": frozenset({"lead_solution", "third_option", "soft_remind", "refuse_concede", "compliant_script"}),
    "rule_wall": frozenset({"soft_explain", "refuse_concede", "role_faces", "lead_solution", "compliant_script"}),
    "delay_stall": frozenset({"warm_close", "lead_solution", "expectation_mgmt", "people_centered", "small_help", "same_side"}),
    "label_customer": _SOFT | {"iceberg_dig", "anti_fishing"},
    "shame_compare": _SOFT | {"iceberg_dig"},
    "preach": _SOFT | {"accept_reality", "isolate_scene"},
    "pass_buck": frozenset({"small_help", "role_faces", "same_side", "expectation_mgmt", "compliant_script"}),
    "threat_intimidate": frozenset({
        "compliant_script", "soft_remind", "isolate_scene", "warm_close", "role_faces", "lead_solution", "expectation_mgmt",
        "pace_emotion", "refuse_concede",
    }),
    "obstruct_complaint": frozenset({"people_centered", "refuse_concede", "give_before_ask", "compliant_script", "soft_explain"}),
    "canned_script": frozenset({"warm_close"}),
    "jargon_dump": frozenset({"soft_explain"}),
}  # fmt: skip
# anti-patterns that a more telling code on the same words replaces
_OUTRANKED: dict[str, frozenset[str]] = {
    "canned_script": frozenset({"deny_emotion", "but_negation", "over_apologize", "delay_stall", "brush_off", "obstruct_complaint", "false_empathy", "early_explain"}),
    "early_explain": frozenset({"argue_logic", "rule_wall", "pass_buck", "blame_customer", "rebut", "but_negation", "jargon_dump", "false_info", "false_empathy"}),
    "rule_wall": frozenset({"but_negation", "false_info", "obstruct_complaint"}),
    "brush_off": frozenset({"delay_stall", "pass_buck", "threat_intimidate", "ultimatum"}),
    "preach": frozenset({"shame_compare", "insult", "deny_emotion"}),
    "ultimatum": frozenset({"threat_intimidate", "obstruct_complaint", "crisis_ignore", "impersonate_authority"}),
    "interrogate": frozenset({"blame_customer", "shame_compare", "hide_identity", "label_customer", "crisis_ignore"}),
    "overpromise": frozenset({"false_promise_credit"}),
    "argue_logic": frozenset({"insult"}),
    "label_customer": frozenset({"insult"}),
    "premature_lead": frozenset({"crisis_ignore", "threat_intimidate"}),
    "retaliate": frozenset({"obstruct_complaint", "crisis_ignore", "insult"}),
    "deny_emotion": frozenset({"crisis_ignore", "interrupt_cutoff"}),
    "pass_buck": frozenset({"obstruct_complaint"}),
    "shame_compare": frozenset({"threat_intimidate", "insult"}),
}  # fmt: skip
_HOLLOW = frozenset({"compliant_script", "soft_remind"})  # worth nothing in a reply that crosses a red line
_OVERPROMISE_WORDS = ("一定", "肯定", "保证", "绝对", "包在", "打包票", "放心")


def settled(hits: Sequence[Hit], said: Said, techniques: frozenset[str], breaches: frozenset[str]) -> list[Hit]:
    """The hits that stand, in order of appearance."""
    harms = [h for h in hits if h.code not in techniques]
    kept = [h for h in hits if not _silenced(h, harms, said, techniques, breaches) and not _outranked(h, harms, said)]
    return sorted(kept, key=lambda h: (h.span.start, h.code))


def _silenced(hit: Hit, harms: list[Hit], said: Said, techniques: frozenset[str], breaches: frozenset[str]) -> bool:
    if hit.code not in techniques or hit.action:
        return False
    where = _sentence(said, hit)
    if hit.code in _HOLLOW and any(h.code in breaches for h in harms):
        return True
    for harm in harms:
        if harm.span.overlaps(hit.span) and (
            harm.code in breaches or harm.code not in ("canned_script", "early_explain")
        ):
            return True
        if hit.code in _SENTENCE_WIDE.get(harm.code, ()) and where.overlaps(_sentence(said, harm)):
            return True
    return False


def _outranked(hit: Hit, harms: list[Hit], said: Said) -> bool:
    over = _OUTRANKED.get(hit.code, frozenset())
    for harm in harms:
        if harm.code not in over or not _close(hit, harm, said):
            continue
        if hit.code == "overpromise" and any(w in said.text(hit.span) for w in _OVERPROMISE_WORDS):
            continue
        return True
    return False


def _close(hit: Hit, harm: Hit, said: Said) -> bool:
    if hit.code in ("early_explain", "brush_off"):
        return _sentence(said, hit).overlaps(_sentence(said, harm))
    return hit.span.overlaps(harm.span)


def _sentence(said: Said, hit: Hit) -> Span:
    first, last = said.sentence_at(hit.span.start), said.sentence_at(max(hit.span.start, hit.span.end - 1))
    return Span(first.start, max(last.end, hit.span.end))
