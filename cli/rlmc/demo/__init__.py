"""The demonstration: a scripted coding agent, a small project in memory, and the real daemon in a folder of its own."""
