"""A channel's lists are bounded together, however they branch, and the archive read again leaves out the same ones."""

from dataclasses import replace

from test_discover import LIST, SITE, codes

from archive.model import Discovery, Target
from crawler.site import Limits
from crawler.walks import ListWalks

SMALL = replace(SITE, limits=Limits(max_list_pages=6))


def further(name: str) -> Target:
    return replace(LIST, url=f"http://d.example.cn/{name}.html", parameters='{"list":{},"walked":1}')


def branching(target: Target) -> Discovery:
    """Every list page leads to two others and an article."""
    name = target.url.rpartition("/")[2].removesuffix(".html")
    article = replace(target, role="page", url=f"http://d.example.cn/a/{name}.html")
    return Discovery(targets=(further(f"{name}0"), further(f"{name}1"), article))


def walk(walks: ListWalks) -> tuple[list[str], list[str]]:
    """Addresses of the list pages read, and the codes of what was found on the way."""
    waiting, read, said = [LIST], [], []
    while waiting:
        target = waiting.pop(0)
        read.append(target.url)
        found = walks.within(target, branching(target), SMALL)
        waiting += [following for following in found.targets if following.role == "list"]
        said += codes(found)
        assert [following.role for following in found.targets].count("page") == 1
    return read, said


def test_lists_that_branch_end_after_so_many_pages_in_all():
    read, said = walk(ListWalks())

    assert len(read) == len(set(read)) == 6
    assert {"trap", "list_incomplete"} == set(said)


def test_a_channel_s_own_page_begins_anew():
    walks = ListWalks()

    assert walk(walks) == walk(walks)


def test_channels_do_not_count_for_each_other():
    walks = ListWalks()
    walk(walks)
    other = replace(further("x"), channel="other")

    assert len(walks.within(other, branching(other), SMALL).targets) == 3


def test_a_chain_within_the_bound_is_let_be():
    walks, target = ListWalks(), LIST
    for number in range(5):
        found = Discovery(targets=(further(str(number)),))
        assert walks.within(target, found, SMALL) is found
        (target,) = found.targets
