"""What is shown of the ledger, as plain data and in words: the same on every surface, terminal, JSON and page."""
