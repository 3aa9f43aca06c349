"""The models that are retrained after every fix. One public module is one learner; its `Learner` makes it."""
