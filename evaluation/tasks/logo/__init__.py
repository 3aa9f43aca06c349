"""Logo classification (SmartMailHack 2018)."""
