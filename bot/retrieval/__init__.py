"""Retrieval: query -> passages. The only package that knows Chroma and langchain's stores."""

from bot.retrieval.index import Index, IndexReport

__all__ = ["Index", "IndexReport"]
