"""The key layouts of public checkpoints, a family of architectures a file."""
