"""rlmc: a local LLM proxy that lets a cheap draft model answer the turns it can, and keeps an honest account of it."""

__version__ = "0.1.0"
