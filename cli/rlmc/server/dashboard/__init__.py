"""The page a daemon serves about itself: doors (who may look), facts (what is shown), feed (live), pages (paths)."""
