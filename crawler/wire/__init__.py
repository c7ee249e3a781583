"""Fetches: a Scrapy download handler over asyncio that keeps every byte of an exchange, in both directions, after TLS.

    Request → Order → connection (address checked, TLS verdict kept) → Exchange → recorder → Response or exception

Scrapy's own handlers hand on parsed headers and decoded bodies; what a server really sent is gone by then, and what
never becomes a Response is gone altogether. Here the bytes come first: nothing reaches a spider that is not yet
recorded, and what fails (cut short, timed out, too large, unparsable, refused) is recorded the same way.

HTTP/1.1 only, no pipelining, no silent retry: a second attempt is a second recorded exchange.
`context` is the seam to the rest of the crawler; `client` and below know nothing of Scrapy.
"""
