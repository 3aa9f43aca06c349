"""The review page: what it shows and what it does, served on this machine or written as one file."""
