"""Learning from the user's own transcripts whether a draft model's steps are as good as what was done then.

Rule: of what was said and done only labels are kept: which kind of step, and whether it was worse.
"""
