"""Independent jobs in this process, on this machine's cores, or on a Dask cluster."""
