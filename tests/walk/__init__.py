"""Every operation of the contract, called by both clients."""
