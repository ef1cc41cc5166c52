"""The words of rlmc as frozen values. Arithmetic only; no protocol, no policy, no I/O."""
