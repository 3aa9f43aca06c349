"""Our own programs that run inside a sandbox. They are started as files, so each needs nothing but what it imports."""
