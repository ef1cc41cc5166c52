"""What the user of the demo types, in order: questions, changes, a proposal and a short yes."""

from __future__ import annotations

TASKS: tuple[str, ...] = (
    "Where is `shipping_fee` computed, and what happens with heavy parcels?",
    "Fix the fees, they lose their cents: replace `return round(amount)` with `return round(amount, 2)`.",
    "Explain in detail how `label_for` works for an order in the packing room.",
    "What would you change so that `print_label` keeps trying while the printer is offline? Propose it first.",
    "yes, go ahead",
    "Do `ZONE_TABLE` and `RATE_TABLE` name the same countries?",
    "Which settings does `load_settings` read, and from where?",
)
