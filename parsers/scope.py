"""Whether a report's figures are its agency's own or include those of bodies under it, as its own text says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from parsers.spacing import squeeze
from parsers.vocabulary import WORDS, load_words

ScopeValue = Literal["own", "aggregate", "unknown"]

_FILE = "scope.toml"
_SENTENCE = re.compile(r"[^。；！？\n]+[。；！？]?")
_LONGEST_EVIDENCE = 200
# What a notice that the report cites is about is not what the report covers.
_CITED = re.compile(r"《[^《》]*》")


@dataclass(frozen=True, slots=True)
class Scope:
    """`rule` and `evidence` (the sentence) are "" when the text does not say."""

    value: ScopeValue = "unknown"
    rule: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`unless`: what may not stand among the words found, and `denied` not anywhere in the sentence."""

    name: str
    scope: ScopeValue
    pattern: re.Pattern[str]
    first: tuple[str, ...]
    unless: tuple[str, ...]
    denied: re.Pattern[str] | None

    def holds_in(self, sentence: str) -> bool:
        if not any(word in sentence for word in self.first):
            return False
        said = _CITED.sub("", squeeze(sentence))
        if self.denied is not None and self.denied.search(said):
            return False
        return any(not any(word in match[0] for word in self.unless) for match in self.pattern.finditer(said))


def scope_of(texts: Iterable[str]) -> Scope:
    """What title, opening and sections say. Texts that say both are `unknown`, with both sentences as evidence."""
    found: dict[ScopeValue, Scope] = {}
    for text in texts:
        for sentence in _SENTENCE.findall(text):
            told = _of_sentence(sentence)
            if told.value != "unknown":
                found.setdefault(told.value, told)
    if len(found) > 1:
        evidence = " | ".join(scope.evidence for _, scope in sorted(found.items()))
        return Scope("unknown", "contradictory", evidence)
    return next(iter(found.values()), Scope())


def _of_sentence(sentence: str) -> Scope:
    """不包括 has 包括 in it: what is said to be left out counts first."""
    for rule in _rules():
        if rule.holds_in(sentence):
            return Scope(rule.scope, rule.name, squeeze(sentence)[:_LONGEST_EVIDENCE])
    return Scope()


@cache
def _rules() -> tuple[_Rule, ...]:
    read = load_words(_FILE)
    denied = re.compile("|".join(read["denied"]))
    rules = [
        _Rule(
            rule["name"],
            rule["scope"],
            re.compile(
                f"[^{rule.get('stops', '。；')}]{{0,{read['within']}}}?".join(
                    f"(?:{'|'.join(map(re.escape, words))})" for words in rule["words"]
                )
            ),
            tuple(rule["words"][0]),
            tuple(rule.get("unless", ())),
            denied if rule["scope"] == "aggregate" else None,
        )
        for rule in read["rules"]
    ]
    return tuple(sorted(rules, key=lambda rule: rule.scope != "own"))


@cache
def scope_digest() -> str:
    """Changes whenever the words do."""
    return hashlib.sha256((WORDS / _FILE).read_bytes()).hexdigest()[:16]
