"""What OpenAI's two protocols share, Chat Completions and Responses."""
