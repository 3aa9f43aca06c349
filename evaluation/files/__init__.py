"""Files: one reader and one writer for each format; files are written whole or not at all."""
