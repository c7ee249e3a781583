"""Bytes in, plain records out. No network, no disk, no database, no Scrapy.

bytes → sniff → reader → Document → matcher (× form) → facts, checks, findings → Reading
"""
