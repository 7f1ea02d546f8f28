"""The proof that a rewritten program does what the program did before."""
