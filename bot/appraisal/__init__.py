"""Reads a learner's reply: techniques, anti-patterns, red lines. Local and deterministic; no model is called."""

from bot.appraisal.reader import Appraiser

__all__ = ["Appraiser"]
