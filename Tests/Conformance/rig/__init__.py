"""What the cases stand on: nodes, clients, waiting, and the leak check."""
