"""A GitOps reconciler: Works go into a Git repository, each Destination's documents come out of it as commits."""

__version__ = "0.1.0"
