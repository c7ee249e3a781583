"""Fetches. Knows Scrapy, and is the only package that knows `parsers` and `archive`."""
