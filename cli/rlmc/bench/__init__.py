"""`rlmc bench`: tasks whose answers can be checked, put to the live proxy, one arm for each policy.

Rule: nothing else of rlmc imports this package, and what a model wrote is only ever executed in the sandbox.
"""
