"""Token counts of this protocol."""

from __future__ import annotations

from rlmc.wire.openai.usage import Counts

_COUNTS = Counts("input_tokens", "output_tokens")
read_usage, write_usage = _COUNTS.read, _COUNTS.write
