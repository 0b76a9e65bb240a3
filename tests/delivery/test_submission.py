#!/usr/bin/env python3
"""A real Postfix asks postern-authd: who submits mail, and which domains, mailboxes, aliases and senders there are,
whose mailbox is full; also while authd is killed."""
import os
import smtplib
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from delivery import through  # noqa: E402
from delivery.mta import DOMAIN, Postfix  # noqa: E402
from delivery.post import bodies  # noqa: E402
from harness.programs import run_main  # noqa: E402
from harness.site import free_port  # noqa: E402
from harness.story import chapter, claim, claim_that, until  # noqa: E402

ELSEWHERE = "ann@elsewhere.example"
MESSAGE = b"From: Ann <ann@elsewhere.example>\r\nSubject: %s\r\n\r\nhello\r\n"


def make_site(map_port):
    site = through.make_site()
    socket = f"{site.work}/sasl"
    site.configure("auth", "mta_listen", f"127.0.0.1:{site.ports['auth']} unix:{socket}")
    site.configure("auth", "mta_socket_mode", "0666")
    site.configure("auth", "socketmap_listen", f"127.0.0.1:{map_port}")
    site.setting("login", "FailureDelay", 0)
    site.postern("alias", "add", f"info@{DOMAIN}", "dave")
    site.stop("auth")  # the one that the doors asked so far
    site.serve("auth")
    return site, socket


def settings(socket, map_port):
    """Of main.cf, as the manual has them."""
    maps = f"socketmap:inet:127.0.0.1:{map_port}"
    return {
        "mynetworks": "192.0.2.0/24",  # the test is nobody's neighbour
        "default_transport": "discard:",
        "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": socket, "smtpd_sasl_auth_enable": "yes",
        "virtual_mailbox_domains": f"{maps}:domains", "virtual_mailbox_maps": f"{maps}:mailboxes",
        "virtual_alias_maps": f"{maps}:aliases", "smtpd_sender_login_maps": f"{maps}:senders",
        "smtpd_sender_restrictions": "reject_sender_login_mismatch",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
        "smtpd_recipient_restrictions": f"check_recipient_access {maps}:quota",
        "smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "1000", "smtpd_soft_error_limit": "1000",
    }


def login(smtp, user, password, mechanism="PLAIN"):
    """The code of the answer to AUTH."""
    smtp.user, smtp.password = user, password
    how = {"PLAIN": smtp.auth_plain, "LOGIN": smtp.auth_login}[mechanism]
    try:
        return smtp.auth(mechanism, how)[0]
    except smtplib.SMTPAuthenticationError as e:
        return e.smtp_code


def who_may_submit(postfix):
    with postfix.smtp() as smtp:
        claim_that("PLAIN and LOGIN are offered", {"PLAIN", "LOGIN"} <= set(smtp.esmtp_features["auth"].split()),
                   smtp.esmtp_features)
        smtp.say(f"MAIL FROM:<{ELSEWHERE}>")
        smtp.say(f"RCPT TO:<{ELSEWHERE}>", 554)
    for mechanism in ("PLAIN", "LOGIN"):
        with postfix.smtp() as smtp:
            claim(f"{mechanism}: a wrong password", login(smtp, "dave", "wrong", mechanism), 535)
            claim(f"{mechanism}: nobody", login(smtp, "nobody", "secret", mechanism), 535)
            claim(f"{mechanism}: the right one", login(smtp, "dave", "secret", mechanism), 235)
            smtp.say(f"MAIL FROM:<dave@{DOMAIN}>")
            smtp.say(f"RCPT TO:<{ELSEWHERE}>")
    with postfix.smtp() as smtp:
        claim("by an address", login(smtp, f"dave@{DOMAIN}", "secret"), 235)
        smtp.say(f"MAIL FROM:<info@{DOMAIN}>")  # his alias
        smtp.say("RSET")
        smtp.say(f"MAIL FROM:<{through.USERS[0]}@{DOMAIN}>")
        smtp.say(f"RCPT TO:<{ELSEWHERE}>", 553)  # another's


def who_is_there(site, postfix):
    with postfix.smtp() as smtp:
        smtp.say(f"MAIL FROM:<{ELSEWHERE}>")
        smtp.say(f"RCPT TO:<dave@{DOMAIN}>")
        smtp.say(f"RCPT TO:<dave+folder@{DOMAIN}>")
        smtp.say(f"RCPT TO:<nobody@{DOMAIN}>", 550)
        smtp.say("RCPT TO:<dave@other.example>", 554)
    with postfix.smtp() as smtp:
        smtp.hand_over(ELSEWHERE, [f"info@{DOMAIN}"], MESSAGE % b"by alias")
    claim_that("what was sent to an alias arrives", until(lambda: b"by alias" in b"".join(
        bodies(site, "dave")), 30))
    site.postern("quota", "set", "dave", "--messages", "1")
    with postfix.smtp() as smtp:
        smtp.say(f"MAIL FROM:<{ELSEWHERE}>")
        smtp.say(f"RCPT TO:<dave@{DOMAIN}>", 552)
    site.postern("quota", "set", "dave", "--messages", "default")


def authd_is_gone(site, postfix):
    site.kill("auth")
    with postfix.smtp() as smtp:
        claim_that("who logs in is told to try later", login(smtp, "dave", "secret") in (421, 454))
    with postfix.smtp() as smtp:
        smtp.say(f"MAIL FROM:<{ELSEWHERE}>")
        smtp.say(f"RCPT TO:<dave@{DOMAIN}>", 451)
    site.serve("auth")

    def gets_in():
        with postfix.smtp() as smtp:
            return login(smtp, "dave", "secret") == 235

    claim_that("it is back, and so is he", until(gets_in, 30))


def main():
    map_port = free_port()
    site, socket = make_site(map_port)
    with site, Postfix(site, lmtp=f"lmtp:unix:{through.lmtp_socket(site)}", **settings(socket, map_port)) as postfix:
        chapter("Who may submit")
        who_may_submit(postfix)
        chapter("Who is there")
        who_is_there(site, postfix)
        chapter("authd is killed")
        authd_is_gone(site, postfix)


if __name__ == "__main__":
    run_main(main)
