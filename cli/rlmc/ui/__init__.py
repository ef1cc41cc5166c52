"""How facts are shown: tables and lines for people, one JSON envelope for scripts."""
