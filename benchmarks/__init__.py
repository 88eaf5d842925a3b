"""Measured claims: each module prints ratios taken in one run against the limit of the machine and against a peer."""
