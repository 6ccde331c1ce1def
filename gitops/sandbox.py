"""Rendering templates that others wrote, in a process with little time, little memory and no environment."""

from __future__ import annotations

import atexit
import hashlib
import json
import resource
import select
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from gitops.core.documents import CostlyTemplateError, TemplateError
from gitops.core.render import MAX_OUTPUT_BYTES, render

REMEMBERED = 4096  # refusals
CPU_SECONDS, WALL_SECONDS, MEMORY_BYTES = 2, 60, 256 << 20  # the second only for a machine that stands still
_SHARE = f"{CPU_SECONDS} s of CPU, {MEMORY_BYTES >> 20} MiB of memory"
_SPENT = {"error": f"the template takes more than its share: {_SHARE}", "costly": True}


class Sandbox:
    """A renderer (`core.documents.Render`). Its process starts with the first template, and anew when one breaks it.

    Refusals are remembered, so that a template that takes all of its share takes it once and not in each pass.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._refused: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        atexit.register(self.close)

    def __call__(self, text: str, scope: Mapping[str, Any]) -> bytes:
        """Render *text*; TemplateError when it fails or costs too much."""
        question = json.dumps([text, scope]).encode() + b"\n"
        key = hashlib.sha256(question).digest()
        answer = self._refused.get(key) or self._ask(self._running(), question) or self._broken()
        if "error" in answer:
            self._remember(key, answer)
            kind = CostlyTemplateError if answer.get("costly") else TemplateError
            raise kind(answer["error"], answer.get("line", 0))
        return str(answer["output"]).encode()

    def _broken(self) -> dict[str, Any]:
        self.close()
        return _SPENT

    def _remember(self, key: bytes, answer: dict[str, Any]) -> None:
        self._refused[key] = answer
        if len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    pipe.close()
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PYTHONHASHSEED": "0"},
                start_new_session=True,
            )
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], question: bytes) -> dict[str, Any] | None:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(question)
            process.stdin.flush()
            answers = select.poll()
            answers.register(process.stdout, select.POLLIN)
            if not answers.poll(WALL_SECONDS * 1000):
                return None
            answer = process.stdout.readline()
            return json.loads(answer) if answer.endswith(b"\n") else None
        except OSError:
            return None


_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from gitops.sandbox import serve; serve()"


def serve() -> None:
    """Answer questions from standard input, one line each; every question has its own share of CPU time."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    for line in sys.stdin.buffer:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(spent.ru_utime + spent.ru_stime) + CPU_SECONDS + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        sys.stdout.buffer.write(json.dumps(_answer(*json.loads(line))).encode() + b"\n")
        sys.stdout.buffer.flush()


def _answer(text: str, scope: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"output": render(text, scope).decode()}
    except TemplateError as error:
        return {"error": error.message[:MAX_OUTPUT_BYTES], "line": error.line}
    except MemoryError:
        return _SPENT
