"""What a new session may choose from: the built-in files with the published versions of trainers laid over them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache

from pydantic import ValidationError

from bot import cases
from bot.errors import ContentError
from bot.records import Persona, Scenario, Version
from bot.scenarios import Library
from bot.store import Contents

log = logging.getLogger("huasu.shelf")


def current(library: Library, contents: Contents | None) -> Library:
    """The library a session started now sees. Reads only which versions are published unless that has changed."""
    if contents is None:
        return library
    stamp = contents.stamp()
    return _laid(library, contents, stamp) if stamp else library


@lru_cache(maxsize=4)
def _laid(library: Library, contents: Contents, stamp: tuple[tuple[str, str, int], ...]) -> Library:
    return overlaid(library, [v for v in contents.current() if v.status == "published"])


def overlaid(library: Library, versions: Iterable[Version]) -> Library:
    """The library with these versions in it. One that no longer fits the rules is left out and logged.

    A newer release may have dropped a policy or a type; the built-in case is used then, or none.
    """
    found = list(versions)
    scenarios = dict(library.scenarios)
    stamps = {}
    for v in (v for v in found if v.kind == "scenario"):
        try:
            scenario = Scenario.model_validate(v.body)
            cases.check_scenario(scenario, f"{v.id}.yaml", library.vocabulary)
            scenarios[v.id], stamps[f"scenario {v.id}"] = scenario, str(v.n)
        except (ValidationError, ContentError) as error:
            log.warning("version %s of scenario %s left out: %s", v.n, v.id, error)
    personas = dict(library.personas)
    for v in (v for v in found if v.kind == "persona"):
        try:
            persona = Persona.model_validate(v.body)
            cases.check_persona(persona, f"{v.id}.yaml", library.vocabulary, scenarios)
            personas[v.id], stamps[f"persona {v.id}"] = persona, str(v.n)
        except (ValidationError, ContentError) as error:
            log.warning("version %s of persona %s left out: %s", v.n, v.id, error)
    return library.with_content(scenarios, personas, stamps)
