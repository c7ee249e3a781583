"""Spiders: `column` knows how to walk a site, `bundled` names one spider for each site file."""
