#!/usr/bin/env python3
"""postern-metrics: what it says is OpenMetrics by prometheus_client's parser, and true; it answers what it should and nothing
else; and the dashboard asks for nothing that it does not tell."""
import http.client
import json
import os
import re
import socket
import sys
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from harness.programs import Skip, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, until
from hostile.common import greeted, try_login

try:
    from prometheus_client.openmetrics import parser
except ImportError:
    parser = None

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
DASHBOARD = os.path.join(ROOT, "contrib/grafana/postern.json")
NAME = re.compile(r"\bpostern_\w+")


def ask(site, path="/metrics", method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{site.ports['metrics']}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class Page:
    def __init__(self, site):
        status, headers, self.text = ask(site)
        claim("the page is there", status, 200)
        claim("its type", headers["Content-Type"], CONTENT_TYPE)
        self.families = list(parser.text_string_to_metric_families(self.text))
        self.samples = {(s.name, frozenset(s.labels.items())): s.value for f in self.families for s in f.samples}

    def value(self, name, **labels):
        return self.samples.get((name, frozenset(labels.items())))


def login(site, user="alice"):
    wire = greeted(site, "pop3")
    return wire, try_login(wire, "pop3", user).decode()


def sessions_are_told(site):
    chapter("Sessions, users near a limit, refusals, events")
    nobody = Page(site)
    claim("nobody holds any", nobody.value("postern_sessions", service="POP3", **{"class": "service"}), 0)
    claim("no counter is there for what never was", nobody.value("postern_events_total", id="9646"), 0)
    held = [login(site) for _ in range(3)]
    page = Page(site)
    claim("three over POP3", page.value("postern_sessions", service="POP3", **{"class": "service"}), 3)
    claim("they were granted", page.value("postern_grants_total", service="POP3"), 3)
    claim("each took its time", page.value("postern_grant_duration_seconds_count"),
          sum(v for (name, _), v in page.samples.items() if name == "postern_grants_total"))
    claim("one user", page.value("postern_users"), 1)
    claim("nobody is near", page.value("postern_users_near_limit", of="service"), 0)
    site.reg("Maximum Allowed Service Sessions Per User", 3)
    refused = [login(site)[1] for _ in range(2)]
    claim_that("the fourth and fifth are refused", all("Server Unavailable" in r for r in refused), refused)
    page = Page(site)
    claim("refused by that limit", page.value("postern_refusals_total", service="POP3", layer="store",
                                              limit="Maximum Allowed Service Sessions Per User"), 2)
    claim("one event for both", page.value("postern_events_total", id="9646"), 1)
    claim("she is near it", page.value("postern_users_near_limit", of="service"), 1)
    claim("and not near the other", page.value("postern_users_near_limit", of="all"), 0)
    claim("told by name", page.value("postern_user_sessions", user="alice", of="service"), 3)
    claim("with the limit", page.value("postern_user_limit", user="alice", of="service"), 3)
    claim("the limit as it is set", page.value("postern_limit", limit="Maximum Allowed Service Sessions Per User"), 3)
    site.setting("metrics", "UsersNamed", 0)
    claim("nobody by name, where that is set", Page(site).value("postern_user_sessions", user="alice", of="all"), None)
    site.setting("metrics", "UsersNamed", 10)
    return held


def refused_at_accept(site):
    chapter("Connections that are refused as they come")
    site.setting("pop", "MaxConnectionFromSingleIP", 0)
    for _ in range(2):
        with site.wire("pop3") as wire:
            claim_that("refused", wire.read_line().startswith(b"-ERR"))
    site.setting("pop", "MaxConnectionFromSingleIP", 2000)
    page = Page(site)
    claim("counted, with its layer", page.value("postern_refusals_total", service="POP3", layer="accept",
                                               limit="MaxConnectionFromSingleIP"), 2)


def the_dead_are_counted(site, held):
    chapter("Sessions of a killed daemon are counted when it is back")
    site.kill("pop3")
    claim("they are gone", Page(site).value("postern_sessions", service="POP3", **{"class": "service"}), 0)
    site.reg("Maximum Allowed Service Sessions Per User", 1)
    site.serve("pop3")
    again = login(site)
    claim_that("she gets in", again[1].startswith("+OK"), again[1])
    claim("three were taken from it", Page(site).value("postern_reaped_sessions_total", why="killed"), 3)
    for wire, _ in held + [again]:
        wire.close()


def http_is_held_to(site):
    chapter("What it answers, and what not")
    claim("HEAD", ask(site, method="HEAD")[0::2], (200, ""))
    claim("another page", ask(site, "/secret")[0], 404)
    claim("another method", ask(site, method="POST")[0], 405)
    claim("what is allowed", ask(site, method="DELETE")[1]["Allow"], "GET, HEAD")
    with socket.create_connection(("127.0.0.1", site.ports["metrics"])) as peer:
        peer.sendall(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n")
        said = peer.recv(100)
        claim_that("a line without end is refused", said.startswith(b"HTTP/1.1 4"), said)
    connection = http.client.HTTPConnection("127.0.0.1", site.ports["metrics"])
    for _ in range(3):
        connection.request("GET", "/metrics")
        claim("again over one connection", connection.getresponse().read().decode().endswith("# EOF\n"), True)
    try:
        socket.create_connection(("127.0.0.2", site.ports["metrics"])).close()
        claim("it listens on what it is told alone", "another address", "127.0.0.1")
    except ConnectionRefusedError:
        pass


def dashboard_fits(site):
    chapter("The dashboard asks for what is told")
    page = Page(site)
    told = {name for name, _ in page.samples}
    told |= {"postern_refusals_total", "postern_user_sessions", "postern_user_limit"}  # no samples where nobody is refused or near
    families = {f.name for f in page.families}
    claim_that("families without samples are declared", {"postern_refusals", "postern_user_sessions", "postern_user_limit"} <= families, families)
    with open(DASHBOARD, encoding="utf-8") as file:
        board = json.load(file)
    targets = [t["expr"] for panel in board["panels"] for t in panel.get("targets", ())]
    targets += [v["query"]["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    claim_that("it has panels", len(targets) > 10, len(targets))
    asked = {name for expr in targets for name in NAME.findall(expr)}
    claim("it asks for nothing else", sorted(asked - told), [])
    claim("ids of panels are unique", len({p["id"] for p in board["panels"]}), len(board["panels"]))
    names = {f.name: {s.name for s in f.samples} or {f.name, f.name + "_total"} for f in page.families}
    claim("and shows all that is told", sorted(family for family in families if not names[family] & asked), [])


def main():
    if parser is None:
        raise Skip("python3-prometheus-client is not installed")
    with Site() as site:
        site.user("alice")
        site.setting("metrics", "AnswerKept", 0)
        site.serve("pop3", "metrics")
        until(lambda: ask(site)[0] == 200)
        held = sessions_are_told(site)
        refused_at_accept(site)
        the_dead_are_counted(site, held)
        http_is_held_to(site)
        dashboard_fits(site)


run_main(main)
