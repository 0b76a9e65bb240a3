"""What is so whichever mail server delivers: who is told what, and what waits."""
from delivery.mta import DOMAIN
from delivery.post import bodies
from delivery.storm import USERS
from harness.site import Site
from harness.story import chapter, claim, claim_that, until

MESSAGE = b"From: Ann <ann@example.net>\r\nSubject: %s\r\n\r\n.a dot\r\n..\r\nlast\r\n"


def address(user):
    return f"{user}@{DOMAIN}"


def make_site():
    """Users of DOMAIN, and an lmtpd that listens on TCP and on a Unix socket for everybody."""
    site = Site()
    site.configure("server", "domains", f"{DOMAIN} local.{DOMAIN}")
    for user in [*USERS, "dave"]:
        site.user(user, "secret", plain=True)
    site.configure("lmtp", "listen", f"127.0.0.1:{site.ports['lmtp']} unix:{lmtp_socket(site)}")
    site.configure("lmtp", "socket_mode", "0666")
    site.serve("imap", "lmtp")
    return site


def lmtp_socket(site):
    return f"{site.work}/lmtp"


def send(server, recipients, octets, sender="ann@example.net", **how):
    with server.smtp() as smtp:
        smtp.hand_over(sender, recipients, octets, **how)


def arrives(site, user, words, folder="INBOX"):
    """The message with these words, once it is there."""
    def look():
        return next((body for body in bodies(site, user, folder) if words in body), None)
    return until(look, 30)


def goes_through(site, server):
    chapter("A message for several, by DATA and by BDAT")
    for words, how in ((b"by data", {}), (b"by chunks", {"chunk": 20})):
        send(server, [address("alice"), address("bob+Junk"), address("CAROL")], MESSAGE % words, **how)
        for user, folder in (("alice", "INBOX"), ("bob", "Junk"), ("carol", "INBOX")):
            claim_that(f"{user} has it", (arrives(site, user, words, folder) or b"").endswith(b"\r\n" + MESSAGE % words))
    chapter("Twenty megabytes")
    large = MESSAGE % b"large" + b"0123456789abcde\r\n" * (20 << 16) + b".\r\n" * 3
    send(server, [address("dave")], large, chunk=1 << 20)
    claim_that("they are what was sent", (arrives(site, "dave", b"Subject: large") or b"").endswith(b"\r\n" + large))


def international(site, server):
    chapter("An address and a header beyond ASCII (RFC 6531)")
    site.postern("alias", "add", "jörg", "alice")
    octets = "From: Jürgen <jürgen@exämple.net>\r\nSubject: Grüße aus Köln\r\n\r\nschön\r\n".encode()
    send(server, [f"jörg@{DOMAIN}"], octets, sender="jürgen@exämple.net", parameters=" BODY=8BITMIME SMTPUTF8")
    body = arrives(site, "alice", "Grüße aus Köln".encode()) or b""
    claim_that("it is what was sent", body.endswith(b"\r\n" + octets), body)
    claim_that("with its addresses", body.startswith(f"Return-Path: <jürgen@exämple.net>\r\nDelivered-To: jörg@{DOMAIN}\r\n".encode()), body)
    claim_that("as UTF8LMTP", b"(postern) with UTF8LMTP id" in body, body)


def refused(site, server):
    chapter("A 5xx returns the message to its sender, for the recipient it was for")
    send(server, [address("nobody"), address("bob")], MESSAGE % b"one of two", sender=address("alice"))
    claim_that("bob has it", arrives(site, "bob", b"one of two"))
    report = arrives(site, "alice", b"nobody@" + DOMAIN.encode()) or b""
    claim_that("its sender has a report from nobody", report.startswith(b"Return-Path: <>\r\n"), report)
    claim_that("which says what lmtpd said", b"there is no such user here" in report, report)
    claim("nothing is queued", server.drained(20), True)
    site.postern("quota", "set", "carol", "--messages", "1")
    send(server, [address("carol")], MESSAGE % b"over quota", sender=address("alice"))
    claim_that("a full mailbox is a reason", arrives(site, "alice", b"the mailbox is full"))
    site.postern("quota", "set", "carol", "--messages", "none")
    site.setting("store", "MessageSizeMax", 100000)
    with server.smtp() as fresh:  # SIZE was told anew, or the message is refused at its end
        fresh.hand_over(address("alice"), [address("bob")], MESSAGE % b"too large" + b"x" * 70 * 2000 + b"\r\n", chunk=4096)
    report = arrives(site, "alice", b"Subject: too large") or b""
    claim_that("size is a reason", b"bob@" in report and report.startswith(b"Return-Path: <>\r\n"), report[:2000])
    site.setting("store", "MessageSizeMax", 1 << 26)


def deferred(site, server):
    chapter("A 4xx has it wait")
    site.setting("delivery", "OverQuota", "defer")
    site.postern("quota", "set", "carol", "--messages", "1")
    before = len(bodies(site, "carol"))
    send(server, [address("carol"), address("bob")], MESSAGE % b"waits for room")
    claim_that("bob's does not", arrives(site, "bob", b"waits for room"))
    claim_that("carol's does", server.logged("452 4.2.2 the mailbox is full"), server.log()[-2000:])
    claim("it is queued", server.queued(), 1)
    site.postern("quota", "set", "carol", "--messages", "none")
    claim_that("it comes when there is room", arrives(site, "carol", b"waits for room"))
    site.reg("Maximum Allowed Exchange Sessions Per Service", 0)
    send(server, [address("carol")], MESSAGE % b"waits for a session")
    claim_that("the limit of transport sessions", server.logged("451 4.3.2 a limit is reached"), server.log()[-2000:])
    site.reg("Maximum Allowed Exchange Sessions Per Service", None)
    claim_that("it comes afterwards", arrives(site, "carol", b"waits for a session"))
    site.stop("lmtp")
    send(server, [address("carol")], MESSAGE % b"waits for a daemon")
    claim("nobody is there to take it", server.drained(0.5), False)
    site.serve("lmtp")
    claim_that("it comes when lmtpd is there", arrives(site, "carol", b"waits for a daemon"))
    claim("nothing is queued", server.drained(20), True)
    claim("each came once", len(bodies(site, "carol")), before + 3)


def by_command(site, server):
    """local.DOMAIN has accounts, which may not open the store."""
    chapter("A command in ~/.forward")
    command = f"{server.path('postern')} deliver --socket {lmtp_socket(site)}"

    def to_alice(options, words):
        server.forward("alice", f'"|{command} {options}"\n')
        send(server, [f"alice@local.{DOMAIN}"], MESSAGE % words, sender=address("bob"))
    to_alice("-d alice -a Junk", b"by command")
    body = arrives(site, "alice", b"by command", "Junk") or b""
    claim_that("it is what was sent", body.endswith(b"\r\n" + MESSAGE % b"by command"), body)
    to_alice("-d nobody", b"to nobody")
    claim_that("67 returns it", arrives(site, "bob", f"alice@local.{DOMAIN}".encode()))
    site.stop("lmtp")
    to_alice("-d carol", b"waits for lmtpd")
    claim("75 has it wait", server.drained(0.5), False)
    site.serve("lmtp")
    claim_that("until it can be delivered", arrives(site, "carol", b"waits for lmtpd"))
    claim("nothing is queued", server.drained(20), True)


def ended(octets):
    """A mail server ends the last line."""
    return octets if octets.endswith(b"\r\n") else octets + b"\r\n"
