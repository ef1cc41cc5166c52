"""An image or a document as a block of this protocol.

Rule: only the types that every model with eyes reads; of anything else, a word that it was there.
"""

from __future__ import annotations

from rlmc.domain.prompt import Attachment
from rlmc.domain.shape import Shape
from rlmc.wire.anthropic.top_level import Json
from rlmc.wire.folded import unseen

_READ = {
    "image": frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}),
    "document": frozenset({"application/pdf"}),
}


def attachment(one: Attachment, shape: Shape) -> Json:
    if one.text:
        return {"type": "text", "text": f"{one.name}:\n{one.text}" if one.name else one.text}
    media_type = "image/jpeg" if one.media_type == "image/jpg" else one.media_type
    if one.url:
        source = {"type": "url", "url": one.url}
    else:
        source = {"type": "base64", "media_type": media_type, "data": one.data}
    if not shape.media or not (one.url or (one.data and media_type in _READ[one.kind])):
        return {"type": "text", "text": unseen(one)}
    block: Json = {"type": one.kind, "source": source}
    return block | ({"title": one.name} if one.name and one.kind == "document" else {})
