"""Exceptions, grouped by who must act. Every message is Chinese, says what happened and what to do next."""

from __future__ import annotations


class HuasuError(Exception):
    """Base of every error a caller may show to a person as it is."""


class LearnerError(HuasuError):
    """The learner can put it right now, in the page (empty reply, too long, session already over)."""


class ConflictError(LearnerError):
    """Another window or replica has already stored this turn; reload to see it."""


class ForbiddenError(HuasuError):
    """The person's roles do not allow this; the message says who may."""


class ContentError(HuasuError):
    """A knowledge, scenario, prompt or rubric file is wrong; the message names file, key and fix."""


class SetupError(HuasuError):
    """The installation or its settings are wrong (missing key, unreadable folder, corrupt index)."""


class ModelError(HuasuError):
    """The model endpoint refused, hung, or answered nonsense. `detail` never contains a key."""

    def __init__(
        self, message: str, *, retryable: bool = True, wait: float = 0.0, ours: bool = False, unsupported: bool = False
    ) -> None:
        """`wait`: seconds the endpoint asked to be left alone. `ours`: it was not even asked. `unsupported`: it works,
        but does not know what was asked of it."""
        super().__init__(message)
        self.retryable, self.wait, self.ours, self.unsupported = retryable, wait, ours, unsupported
