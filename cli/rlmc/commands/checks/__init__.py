"""What `rlmc doctor` looks at: one subject a file, each a function from plain values to `Check`s."""
