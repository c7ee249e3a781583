"""Which reading this is: raised whenever the same bytes may be read differently, so that old readings are made anew."""

PARSER_VERSION = "8"
