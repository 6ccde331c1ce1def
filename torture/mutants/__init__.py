"""Small faults put into the code, one at a time, each to be found by the tests (`make mutants`)."""
