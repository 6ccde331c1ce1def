"""Deterministic simulation: whole histories of daemons, people and bad luck in memory, each of them told by a seed.

The passes are the real ones, the ports below them are dicts: no disk, no network, no clock, no chance but the seed's.
"""
