"""The envelope of every `--json` output: one object with the name of its schema and the data.

Rule: a schema's fields are only ever added to; a change of meaning is a new number behind its name.
"""

from __future__ import annotations

import json


def envelope(schema: str, data: object) -> str:
    """`schema` is a name with a number, `rlmc.stats/1`. Text outside ASCII stays as it is."""
    return json.dumps({"schema": schema, "data": data}, ensure_ascii=False, indent=2)
