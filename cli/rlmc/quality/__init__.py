"""How often a cheap turn was worse, and what follows from it: bounds, posteriors, the price of a regression.

Rule: pure. No clock, no randomness, no content; chances and losses are numbers from 0 to 1.
"""
