"""What calls cost, and what they would have cost without rlmc. Tables are handed in; nothing is fetched here."""
