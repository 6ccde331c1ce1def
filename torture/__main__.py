"""The command line: run campaigns, print what each did and found; a finding is an exit code of 1."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic

from torture.arena import MEMORY, Arena, Campaign
from torture.campaigns import CAMPAIGNS


def main() -> None:
    """Run what was asked for."""
    options = _options()
    told = [_run(campaign, options) for campaign in options.only]
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    sys.exit(any(each["findings"] for each in told))


def _run(campaign: Campaign, options: argparse.Namespace) -> dict[str, object]:
    begun = monotonic()
    with tempfile.TemporaryDirectory(prefix="gitops-torture-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        arena = Arena(Path(folder), options.seed, options.scale, options.replay)
        campaign.run(arena)
    seconds = monotonic() - begun
    _print(campaign, arena, seconds)
    return {
        "campaign": campaign.name,
        "seconds": round(seconds, 1),
        **asdict(replace(arena, counts=Counter())),
        "counts": arena.counts,
        "folder": "",
    }


def _print(campaign: Campaign, arena: Arena, seconds: float) -> None:
    counts = ", ".join(f"{number:,} {what}" for what, number in arena.counts.items())
    print(f"{campaign.name:10} {len(arena.findings)} findings in {seconds:.0f} s: {counts}", flush=True)
    for note in arena.notes:
        print(f"  {note}")
    for finding in arena.findings:
        again = f"make torture ONLY={campaign.name} SEED={arena.seed} REPLAY={finding.seed}"
        print(f"  {again}\n{finding.text}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture", description="Bad luck of every kind, on purpose.")
    parser.add_argument("--only", type=_campaigns, default=list(CAMPAIGNS.values()), metavar="a,b", help="(all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one is another run (1)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="of the number of attempts (1.0)")
    parser.add_argument("--replay", default="", metavar="SEED", help="only the attempt that a finding names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write counts, notes and findings there")
    return parser.parse_args()


def _campaigns(text: str) -> list[Campaign]:
    names = [name for name in text.split(",") if name] or list(CAMPAIGNS)
    if unknown := sorted(set(names) - set(CAMPAIGNS)):
        raise argparse.ArgumentTypeError(f"no campaign {unknown[0]}; there are {', '.join(CAMPAIGNS)}")
    return [CAMPAIGNS[name] for name in names]


if __name__ == "__main__":
    main()
