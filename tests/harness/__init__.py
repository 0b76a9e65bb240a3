"""What the tests that need a running store share: a store of their own, daemons, wires, checks."""
