"""The OpenAI Responses protocol, as of November 2026."""
