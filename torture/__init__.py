"""Bad luck of every kind, on purpose: what `gitops` promises, put to the test (`make torture`)."""
