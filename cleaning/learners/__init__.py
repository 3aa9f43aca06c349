"""The models that are retrained after every fix. Each public module is one learner, defined by its class `Learner`."""
