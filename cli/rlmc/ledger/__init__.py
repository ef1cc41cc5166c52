"""The books: what every session, turn and call was, cost and took. Counts and reasons, never prompts or answers."""
