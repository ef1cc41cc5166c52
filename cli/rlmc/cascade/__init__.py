"""The decisions. Pure: asks for calls, is handed results, says what the client gets. Knows no protocol."""
