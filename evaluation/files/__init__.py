"""Files: one reader and one writer for each form; what is written is there whole or not at all."""
