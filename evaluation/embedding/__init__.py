"""Pictures to vectors, tables of vectors, and the search in them."""
