"""All campaigns, in the order in which they run."""

from __future__ import annotations

from torture.arena import Campaign
from torture.damage import DAMAGE
from torture.faults import FAULTS
from torture.fuzz import FUZZ
from torture.hostile.campaign import HOSTILE
from torture.kills import KILLS
from torture.latency import LATENCY
from torture.power import POWER
from torture.rewinds import REWINDS
from torture.simulation.campaign import SIMULATION
from torture.soak import SOAK
from torture.sweep import SWEEP
from torture.writers import WRITERS

CAMPAIGNS: dict[str, Campaign] = {
    campaign.name: campaign
    for campaign in (SIMULATION, KILLS, SWEEP, FAULTS, WRITERS, LATENCY, REWINDS, POWER, DAMAGE, HOSTILE, FUZZ, SOAK)
}
