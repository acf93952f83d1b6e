"""nncore against PyTorch on one machine: steps, inference, memory, epochs, learning."""
