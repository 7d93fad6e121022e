"""The doctor's own score: programs with one known fault, programs with none, and what the doctor says of them."""
