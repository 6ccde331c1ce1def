"""All campaigns, in the order in which they run."""

from __future__ import annotations

from torture.arena import Campaign

CAMPAIGNS: dict[str, Campaign] = {campaign.name: campaign for campaign in ()}
