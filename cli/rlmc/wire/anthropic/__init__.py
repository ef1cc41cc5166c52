"""The Anthropic Messages protocol, as of November 2026."""
