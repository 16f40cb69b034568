"""What an administrator of the simulator runs: set-up commands and certificates."""
