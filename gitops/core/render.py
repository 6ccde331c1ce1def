"""Templates: Jinja2 in an immutable sandbox. What a template may cost is bounded by the process that calls this."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from traceback import walk_tb
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateRuntimeError, TemplateSyntaxError
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gitops.core.documents import TemplateError

MAX_OUTPUT_BYTES = 1 << 20
_TEMPLATE = "<template>"  # the file name of what was compiled from a text
_UNSTABLE_FILTERS = ("random",)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+(?=>|&gt;)")  # as Python writes an object that has no text of its own


class _Missing(StrictUndefined):
    """What is not there: an error in a list or a mapping, too, whose text is made of the `repr` of what is in it."""

    __slots__ = ()
    __repr__ = StrictUndefined.__str__


class _Environment(ImmutableSandboxedEnvironment):
    """Where a field has the name of a method, as in `values.items`, the field is meant."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _text(value: object) -> str:
    """Return the text of what stands between `{{` and `}}`. An address in it would be another one in each process."""
    text = str(value)
    if _ADDRESS.search(text):
        raise TemplateRuntimeError(f"{_ADDRESS.sub('', text):.80} is no text; map, select and reject need a | list")
    return text


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = _Environment(undefined=_Missing, finalize=_text, keep_trailing_newline=True, autoescape=False)
    for name in _UNSTABLE_FILTERS:  # equal input must give equal output, or each pass would commit
        environment.filters.pop(name)
    environment.globals.pop("lipsum")
    return environment


@lru_cache(maxsize=64)
def _compiled(text: str) -> Template:
    environment = _environment()
    if "\r\n" in text:  # Jinja2 makes all line ends one kind
        environment = environment.overlay(newline_sequence="\r\n")
    return environment.from_string(text)


def render(text: str, scope: Mapping[str, Any]) -> bytes:
    """Render *text* in *scope*. TemplateError in plain words, with the line where Jinja2 knows it.

    MemoryError is the caller's, who knows the limit.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        for chunk in _compiled(text).generate(dict(scope)):
            raw = chunk.encode()
            size += len(raw)
            if size > MAX_OUTPUT_BYTES:
                raise TemplateError(f"more than {MAX_OUTPUT_BYTES >> 20} MiB of output")
            chunks.append(raw)
    except TemplateSyntaxError as error:
        raise TemplateError(error.message or "", error.lineno) from None
    except JinjaError as error:
        raise TemplateError(_ADDRESS.sub("", error.message or ""), _line(error)) from None
    except (TemplateError, MemoryError):
        raise
    except Exception as error:  # whatever a template does, it is the template's fault
        raise TemplateError(_ADDRESS.sub("", f"{type(error).__name__}: {error}"), _line(error)) from None
    return b"".join(chunks)


def _line(error: Exception) -> int:
    """Return the line of the template that was at work: Jinja2 puts it in the traceback. 0 when none was."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == _TEMPLATE]
    return lines[-1] if lines else 0
