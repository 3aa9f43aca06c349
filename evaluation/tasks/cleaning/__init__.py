"""DataPerf training-set cleaning."""
