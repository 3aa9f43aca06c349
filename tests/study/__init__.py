"""The ranking study: every ranker on many data sets with many kinds of label noise, as a table and a figure."""
