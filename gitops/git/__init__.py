"""The edge to Git: the only rooms that know pygit2 and the git command."""
