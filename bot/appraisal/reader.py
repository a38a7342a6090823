"""The appraiser: one reply in, one frozen appraisal out. The reading order is visible in `appraise`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from bot.appraisal import details, extras
from bot.appraisal.details import Known
from bot.appraisal.disguise import Disguises, Undone
from bot.appraisal.lexicon import Hit, Lexicon
from bot.appraisal.network import FOLDER, Network
from bot.appraisal.redlines import RedLines
from bot.appraisal.resolve import settled
from bot.appraisal.segments import Said, Span, fold, parse
from bot.appraisal.situation import OPENERS, PACE, Situation
from bot.injection import machine_parts
from bot.records import Anti, Appraisal, Context, Technique, Violation
from bot.scenarios import Library

CODE_VERSION = "4"
UNMARKED = 3.0
CERTAIN = 0.95  # base strength of a code well above its threshold
_GUARDED = frozenset({
    "threat_intimidate", "impersonate_authority", "disclose_third_party", "harass_contact", "induce_borrow",
    "false_promise_credit", "off_hours_freq", "private_payment", "leak_internal", "privacy_overcollect",
})  # fmt: skip
_NAMES_THE_UNSAID = {"pace_emotion", "pace_expectation", "iceberg_dig", "accept_reality", "pace_motive", "vent_hold"}
_HARSH = re.compile(r"[！!]|必须|马上|立刻|别废话|少来|赶紧")
_MILD = re.compile(r"^(?:请|麻烦|不好意思|抱歉)|可能|也许")


class Appraiser:
    """Reads replies with the word rules and the trained network; either can be left out, to measure the other."""

    def __init__(self, library: Library, use_network: bool = True, use_rules: bool = True) -> None:
        taxonomy = library.taxonomy
        self.library = library
        self.techniques = frozenset(taxonomy.techniques)
        self.antis = frozenset(taxonomy.antis)
        self.breaches = frozenset(taxonomy.violations)
        self.folder = library.root / "knowledge" / "appraisal"
        self.lexicon = Lexicon(self.folder / "lexicon.yaml", _GUARDED)
        self.disguises = Disguises(self.folder / "disguises.yaml")
        self.network = Network(self.folder / FOLDER) if use_network else None
        self.use_rules = use_rules
        self.redlines = RedLines(library)
        self.offers = extras.Offers(library.policies)

    @cached_property
    def version(self) -> str:
        """A short hash of everything that decides a reading."""
        files = [
            *sorted(self.folder.glob("*.yaml")),
            *(sorted((self.folder / FOLDER).glob("*")) if self.network else ()),
        ]
        whole = hashlib.sha256()
        for path in files:
            whole.update(path.read_bytes())
        return f"{CODE_VERSION}-{whole.hexdigest()[:10]}"

    def appraise(self, reply: str, context: Context) -> Appraisal:
        """What a reply does. Any text is accepted; nothing in it is obeyed."""
        others = [line.text for line in context.history if line.role == "customer"]
        said = parse(reply, [*others, context.customer])
        heard = details.known(context)
        scene = Situation(said, context)
        hits, mark = self._decided(said, scene, heard, self.disguises.undo(said.raw))
        return self._written(reply, said, scene, heard, hits, mark)

    def _decided(self, said: Said, scene: Situation, heard: Known, undone: Undone) -> tuple[list[Hit], float]:
        """What the word rules and the network find together, and the network's mark for the whole."""
        ruled = self._ruled(said, scene, heard) if self.use_rules else []
        disguised = fold(undone.text) != fold(said.raw).lower()
        if disguised and self.use_rules:
            ruled += self._unmasked(undone, scene)
        if self.network is None:
            return ruled, UNMARKED
        customer = scene.context.customer
        scores = self.network.read(said.raw, customer)
        hits = self.network.decide(scores, ruled)
        if not scene.crisis:  # without a cry for help there is nothing to ignore, unless the words leave no doubt
            hits = [h for h in hits if h.code != "crisis_ignore" or h in ruled or h.base >= CERTAIN]
        if disguised:
            known = {h.code for h in hits}
            plain = self.network.read(undone.text, customer).placed(undone.original)
            hits += [h for h in self.network.decide(plain, ruled) if h.code in self.breaches - known]
        return hits, scores.mark

    def _ruled(self, said: Said, scene: Situation, heard: Known) -> list[Hit]:
        good = list(self.lexicon.find(said, self.techniques, scene.holds))
        good += _retold(said, heard, good)
        scene.paced_at = _places(good, OPENERS)
        scene.has_safety = any(h.code == "crisis_safety" for h in good)
        bad = list(self.lexicon.find(said, self.antis | self.breaches, scene.holds))
        kept = settled([*good, *bad], said, self.techniques, self.breaches)
        return [h for h in kept if not _too_thin(h, said, heard)]

    def _unmasked(self, undone: Undone, scene: Situation) -> list[Hit]:
        """Breaches the word rules see once disguised writing is undone, placed on the learner's own words."""
        plain = parse(undone.text, [scene.context.customer])
        there = replace(scene, said=plain)
        found = self.lexicon.find(plain, self.breaches, there.holds)
        return [replace(h, span=Span(*undone.original(h.span.start, h.span.end))) for h in found]

    def _written(
        self, reply: str, said: Said, scene: Situation, heard: Known, hits: list[Hit], mark: float
    ) -> Appraisal:
        best = _best(hits, lambda h: self._strength(h, said, heard))
        skills = (self._technique(h, said, heard) for h in best if h.code in self.techniques)
        return Appraisal(
            techniques=_to_him(skills, reply),
            antis=tuple(self._anti(h, said) for h in best if h.code in self.antis),
            violations=tuple(self._violation(h, said) for h in best if h.code in self.breaches),
            customer_act=scene.act,
            slots=extras.slots(said, best),
            policies=self.offers.found(said),
            explain_chars=extras.explain_chars(said, hits, PACE),
            ticket=extras.ticket(said),
            recited=extras.recited(said, scene.context, heard),
            notes=extras.notes(reply, said),
            mark=round(mark, 2),
            version=self.version,
        )

    def _strength(self, hit: Hit, said: Said, heard: Known) -> float:
        if hit.code in self.techniques:
            return _quality(hit, said, heard)
        words = said.text(said.clause_at(hit.span.start))
        return min(1.2, max(0.3, hit.base * (1.1 if _HARSH.search(words) else 0.8 if _MILD.search(words) else 1.0)))

    def _technique(self, hit: Hit, said: Said, heard: Known) -> Technique:
        evidence, start = said.evidence(hit.span)
        return Technique(code=hit.code, quality=_quality(hit, said, heard), evidence=evidence, start=start)

    def _anti(self, hit: Hit, said: Said) -> Anti:
        evidence, start = said.evidence(hit.span)
        severity = self.library.taxonomy.antis[hit.code].severity
        strength = round(self._strength(hit, said, Known("", frozenset(), ())), 2)
        return Anti(code=hit.code, severity=severity, intensity=strength, evidence=evidence, start=start)

    def _violation(self, hit: Hit, said: Said) -> Violation:
        evidence, start = said.evidence(hit.span)
        line = self.redlines.closest(hit.code, evidence)
        return Violation(
            code=hit.code,
            level=self.library.taxonomy.violations[hit.code].level,
            intensity=round(self._strength(hit, said, Known("", frozenset(), ())), 2),
            evidence=evidence,
            start=start,
            redline=line.id if line else "",
            citations=line.citations if line else (),
        )


def _to_him(skills: Iterable[Technique], reply: str) -> tuple[Technique, ...]:
    """No skill is shown in words meant for the machine; what is said wrongly there still counts."""
    parts = machine_parts(reply)
    return tuple(t for t in skills if all(t.start + len(t.evidence) <= a or t.start >= b for a, b in parts))


def _places(hits: list[Hit], codes: frozenset[str]) -> list[int]:
    first: dict[str, int] = {}
    for hit in hits:
        if hit.code in codes:
            first[hit.code] = min(hit.span.start, first.get(hit.code, hit.span.start))
    return sorted(first.values())


def _best(hits: list[Hit], strength) -> list[Hit]:  # type: ignore[no-untyped-def]
    best: dict[str, Hit] = {}
    for hit in hits:
        if hit.code not in best or strength(hit) > strength(best[hit.code]):
            best[hit.code] = hit
    return sorted(best.values(), key=lambda h: (h.span.start, h.code))


def _quality(hit: Hit, said: Said, heard: Known) -> float:
    if hit.fixed or hit.action:
        return round(hit.base, 2)
    words = details.around(said, hit.span)
    count = details.concrete(words, heard)
    own = count >= 1 or (heard.empty and len(words) >= 24)
    quality = hit.base * (1.0 if own else 0.6) + (0.1 if count >= 3 else 0.0)
    if hit.code in _NAMES_THE_UNSAID and details.unsaid_feeling(words, heard):
        quality += 0.2
    if hit.code == "pace_fact" and count < 2:
        quality = min(quality, 0.7)
    return round(min(1.5, max(0.3, quality)), 2)


_ABOUT_US = re.compile(
    r"(?:给|帮|替|陪)您|我(?:来|去|马上|今天|会|可以|把|想|先|问|猜|这|们)|咱们|登记|方案|编号|您看|工作日|批|虽然|如果|条件|权限|可能|应还|系统|规定"
    r"|流程|最近|因为|额度|发我|给我|格式|就行|只还利息|月供从|一般|够用|窗口|别急|利息|罚息|复利|您(?:刚才)?要的|是因为|合同"
)


def _retold(said: Said, heard: Known, good: list[Hit]) -> list[Hit]:
    """Retelling: sentences that hand the customer's own details back without turning to plans or questions."""
    if heard.empty:
        return []
    found = []
    for sentence in said.sentences[:6]:
        words = said.text(sentence)
        if said.plain[sentence.end : sentence.end + 1] == "？" and "我" in words:
            continue
        for part in _runs(said, sentence):
            text = said.text(part)
            if len(text) < 8 or _ABOUT_US.search(text):
                continue
            if len(details.echoes(text, heard)) >= 2:
                found.append(Hit("pace_fact", part, 1.0))
                break
    return found[:2]


def _runs(said: Said, sentence: Span) -> list[Span]:
    clauses = [c for c in said.clauses if c.start >= sentence.start and c.end <= sentence.end]
    pairs = [Span(a.start, b.end) for a, b in pairwise(clauses)]
    return [*pairs, *(Span(c.start, c.end) for c in clauses)]


def _too_thin(hit: Hit, said: Said, heard: Known) -> bool:
    """A canned phrase inside a sentence full of this customer's details is not canned."""
    if hit.code != "canned_script" or heard.empty:
        return False
    return len(details.echoes(details.around(said, hit.span), heard)) >= 2
