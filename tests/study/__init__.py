"""The ranking study: every ranker on many data sets and kinds of label noise, as a table and a picture."""
