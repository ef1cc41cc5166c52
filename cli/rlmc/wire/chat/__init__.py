"""The OpenAI Chat Completions protocol, as OpenAI and those compatible with it speak it in November 2026."""
