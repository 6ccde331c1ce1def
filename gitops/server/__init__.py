"""What others ask the daemon over HTTP: is it alive, is it ready, how does it do; and the call that wakes it."""
