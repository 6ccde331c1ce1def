"""What `gitops` costs, measured against Git itself: `python -m benchmarks`, or `make bench`."""
