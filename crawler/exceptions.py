"""What can go wrong while declaring sites and crawling them."""


class CrawlerError(Exception):
    """Root of everything this package raises on purpose."""


class SiteFileError(CrawlerError):
    """Raised while loading a site file; a line for each error names the file, the key, what was expected and found."""


class UnknownSiteError(CrawlerError):
    """Raised when a site is asked for by a name that no bundled site file bears; the message names the known ones."""


class CrawlFailedError(CrawlerError):
    """Raised when a crawl cannot go on: nothing more can be recorded, or what would be recorded cannot be trusted."""


class AgencyError(CrawlerError):
    """Raised when a decision on agencies cannot stand, or names none or several; the message says which are meant."""


class DivisionFileError(CrawlerError):
    """Raised when the user's table of division codes cannot be read; the message names file, line and column."""


class ProbeError(CrawlerError):
    """Raised when a page that was to be looked at cannot be had; the message says what came instead."""


class CorrectionError(CrawlerError):
    """Raised for a correction that cannot be made or taken back; the message says what was expected."""
