"""What sites ask for, host by host."""

from crawler.politeness import lanes
from crawler.site import parse_site


def site(name: str, host: str, politeness: str = ""):
    return parse_site(
        f'agency = "a"\ndivision_code = "230100"\n[channels]\nr = "http://{host}/"\n[politeness]\n{politeness}',
        name=name,
        source=name,
    )


def test_a_host_is_asked_as_its_site_file_says():
    lane = lanes([site("one", "h.example.cn:8080", "delay_seconds = 3\nconcurrent_requests = 2")])["h.example.cn"]
    assert (lane.delay_seconds, lane.concurrent_requests, lane.permission.private) == (3.0, 2, False)
    assert [port for port in (22, 80, 443, 8080) if port in lane.permission.ports] == [80, 443, 8080]


def test_of_two_sites_on_one_host_the_more_careful_one_holds():
    one = site("one", "h.example.cn", "delay_seconds = 1\nconcurrent_requests = 4\nallow_private_hosts = true")
    two = site("two", "h.example.cn:8080", "delay_seconds = 5\nconcurrent_requests = 8")
    for order in ([one, two], [two, one]):
        lane = lanes(order)["h.example.cn"]
        assert (lane.delay_seconds, lane.concurrent_requests, lane.permission.private) == (5.0, 4, False)
        assert 22 not in lane.permission.ports


def test_two_sites_on_one_host_may_use_the_ports_of_both():
    ports = lanes([site("one", "h.example.cn:81"), site("two", "h.example.cn:82")])["h.example.cn"].permission.ports
    assert 81 in ports
    assert 82 in ports
