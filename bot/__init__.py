"""化诉 (Huasu): role-play training for compliant, gentle collection and complaint handling."""

__version__ = "0.1.0"
