"""Every test runs on a machine that knows nothing: no home, no Git identity, no settings of Git but the tests' own."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import memory
from support.command import Command
from support.platform import Clock, Platform
from support.servers import Servers

_TELLING = (
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_DIR",
    "EMAIL",
    "XDG_CONFIG_HOME",
)


def pytest_configure() -> None:
    memory.prefer()


@pytest.fixture(scope="session", autouse=True)
def sealed_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home, so that nothing of the developer's machine decides how a test ends."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in _TELLING:
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        patch.setenv("GIT_TERMINAL_PROMPT", "0")
        patch.setenv("LC_ALL", "C")
        patch.setenv("TZ", "UTC")
        yield home


@pytest.fixture(scope="session", autouse=True)
def heard_interrupts() -> None:
    """A shell makes background jobs deaf to Ctrl-C; the commands that the tests start are to hear it all the same."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Git servers on loopback; one that nobody asks for does not start."""
    with tempfile.TemporaryDirectory(prefix="gitops-") as folder, Servers(Path(folder)) as running:
        yield running


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line, with a cache and a folder of secrets of its own."""
    return Command(tmp_path, monkeypatch)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at the first of January 2026 until a test moves it."""
    return Clock()


@pytest.fixture
def platform(tmp_path: Path, clock: Clock) -> Platform:
    """An empty bare repository on `main`, and the people and the daemon who work on it."""
    return Platform(tmp_path / "platform.git", clock)
