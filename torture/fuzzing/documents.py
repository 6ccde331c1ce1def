"""Documents: any content is delivered byte for byte, unpacked whole, or refused in plain words."""

from __future__ import annotations

import base64
from contextlib import suppress

from support.definitions import group, selector, work

from gitops.api.work import Work
from gitops.core import content, documents
from gitops.core.sketch import Sketch


def check(raw: bytes) -> None:
    """Assert what holds of any document."""
    text = raw.decode("utf-8", "surrogateescape")
    for claimed in (text, base64.b64encode(raw).decode()):
        with suppress(ValueError):
            found = content.decode(claimed)
            assert len(found) <= content.MAX_BYTES
            assert found == claimed.encode() or claimed.lstrip().startswith("H4sI")
    _finish(text)


def _finish(text: str) -> None:
    """The first line is the path, all of it the content."""
    objects = Sketch()
    path = text.partition("\n")[0]
    made = Work.model_validate(work("w", groups=[group({path: text, "x.yaml": text}, selector(a="b"))]))
    (found,) = documents.groups(made, None, objects)
    if found.documents and found.documents.refusal:
        assert found.documents.refusal.message.isprintable()
    elif found.documents:
        assert {path for path, _ in found.documents.files} == {path, "x.yaml"}
