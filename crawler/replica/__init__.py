"""A small disclosure site of an invented district, on loopback: what `gongkai demo` crawls, and the tests.

    layout     the three statutory forms as printed tables, each value cell naming the fact it prints
    reports    invented reports: values that add up, sentences, a date; `lay_out` prints one as blocks
    troubles   what real reports do to their tables, one named change at a time, with its effect on the truth
    writers/   one module per format: blocks in, bytes out
    content    the site's articles, attachments and their truth
    jcms       markup of 大汉 jCMS
    portal     what the site answers, its truth, and the edits of later nights
    server     HTTP on loopback

The layouts are written out here a second time on purpose and never read from `parsers/forms`: a slip in a form file
then shows as a difference instead of agreeing with itself.
"""

from crawler.replica.portal import Behaviour
from crawler.replica.server import Replica

__all__ = ["Behaviour", "Replica"]
