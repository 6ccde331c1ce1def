"""Passes until nothing is left to do, and the law that goes with it: the pass after a pass writes nothing."""

from support.platform import Platform


def settle(platform: Platform) -> None:
    """Run a pass, later another, and one of a daemon that has seen nothing: only the first may write."""
    platform.clock.advance()
    platform.reconcile()
    tip = platform.tip()
    for daemon in (platform, platform.reconciler()):
        platform.clock.advance()
        daemon.reconcile()
        assert platform.tip() == tip, platform.log()[0].message
