"""Camera traps (Pri-matrix Factorization 2017)."""
