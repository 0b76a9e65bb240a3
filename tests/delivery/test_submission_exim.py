#!/usr/bin/env python3
"""Who submits mail to a real Exim proves himself to postern-authd, by the Dovecot protocol; also while it is killed."""
import os
import smtplib
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from delivery import through  # noqa: E402
from delivery.mta import Exim  # noqa: E402
from delivery.through import MESSAGE, address, arrives  # noqa: E402
from harness.programs import patience, run_main  # noqa: E402
from harness.story import chapter, claim, claim_that  # noqa: E402


def sasl_socket(site):
    """Where authd listens for Exim."""
    path = os.path.join(site.work, "sasl")
    site.configure("auth", "mta_listen", f"unix:{path}")
    site.configure("auth", "mta_socket_mode", "0666")
    site.setting("login", "FailureDelay", 10)
    site.stop("auth")  # the one that the doors asked so far
    site.serve("auth")
    return path


def login(exim, user, password, mechanism):
    """The code of the answer, and the connection."""
    smtp = smtplib.SMTP("127.0.0.1", exim.port, timeout=patience(30))
    smtp.ehlo("client.example.net")
    smtp.user, smtp.password = user, password
    try:
        code, _ = smtp.auth(mechanism, getattr(smtp, "auth_" + mechanism.lower()))
    except smtplib.SMTPAuthenticationError as e:
        code = e.smtp_code
    return code, smtp


def logins(site, exim):
    chapter("Who is let in")
    for mechanism in ("PLAIN", "LOGIN"):
        for user, password, code in (("alice", "secret", 235), ("alice", "wrong", 535), ("nobody", "secret", 535),
                                     ("alice", "", 535)):
            got, smtp = login(exim, user, password, mechanism)
            claim(f"{mechanism} of {user} with {password or 'nothing'}", got, code)
            smtp.close()
    _, smtp = login(exim, "alice", "secret", "PLAIN")
    smtp.sendmail(address("alice"), [address("bob")], MESSAGE % b"submitted")
    smtp.quit()
    claim_that("what he submits arrives", arrives(site, "bob", b"Subject: submitted"))
    _, smtp = login(exim, "alice", "wrong", "PLAIN")
    smtp.docmd(f"MAIL FROM:<{address('alice')}>")
    claim("a stranger submits nothing", smtp.docmd(f"RCPT TO:<{address('bob')}>")[0] // 100, 5)
    smtp.close()
    site.kill("auth")
    code, smtp = login(exim, "alice", "secret", "PLAIN")
    claim_that("while nobody can say who he is, he may try again", 400 <= code < 500, code)
    smtp.close()
    site.serve("auth")
    claim("and then gets in", login(exim, "alice", "secret", "PLAIN")[0], 235)


def asks(path):
    """Of Exim's configuration, as the manual has it."""
    return {"rcpt": "check", "main": "begin acl\ncheck:\n  accept authenticated = *\n  deny\n",
            "authenticators": "".join(f"{name.lower()}:\n  driver = dovecot\n  public_name = {name}\n"
                                      f"  server_socket = {path}\n  server_set_id = $auth1\n"
                                      for name in ("PLAIN", "LOGIN"))}


def main():
    with through.make_site() as site:
        path = sasl_socket(site)
        with Exim(site, lmtp=f"  driver = lmtp\n  socket = {through.lmtp_socket(site)}\n", **asks(path)) as exim:
            logins(site, exim)


if __name__ == "__main__":
    run_main(main)
