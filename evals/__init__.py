"""Regression dialogues, and what measures them."""
