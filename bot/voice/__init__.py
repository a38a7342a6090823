"""The customer's line: hand-written (`ScriptedVoice`) or spoken by a model (`ModelVoice`). Both follow the act."""

from bot.voice.llm import ModelVoice
from bot.voice.scripted import ScriptedVoice

__all__ = ["ModelVoice", "ScriptedVoice"]
