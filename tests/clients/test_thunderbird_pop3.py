#!/usr/bin/env python3
"""Thunderbird over POP3, without a screen: everything over STLS and kept on the server; what is new over TLS at once; then
removed. Each message as it is, but for line ends."""
import base64
import collections
import os
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need
from clients.mailbag import Seen, add_letters, ended, site_with_bag
from clients.marionette import Thunderbird, without_first
from clients.test_thunderbird import SHARED
from harness.programs import need_fuse, need_root, run_main
from harness.site import PASSWORD, free_port
from harness.story import chapter, claim, claim_that

STLS, TLS = 2, 3  # Thunderbird's socketType

# The test's own certificate counts as good on these ports.
TRUST = """
server.password = args[0];
const certificates = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
const overrides = Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService);
const certificate = certificates.constructX509FromBase64(args[1]);
for (const port of args.slice(2)) {
  overrides.rememberValidityOverride("127.0.0.1", port, {}, certificate, true);
}
"""

FETCH = """
const [port, socketType, keep] = args;
server.QueryInterface(Ci.nsIPop3IncomingServer);
server.port = port;
server.socketType = socketType;
server.leaveMessagesOnServer = keep;
const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
await ended((listener) => MailServices.pop3.GetNewMail(null, listener, inbox, server));
return headers(inbox).length;
"""

READ = """
return kept(server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox), (h) => h.messageSize);
"""

OWN = (b"X-Mozilla-", b"X-Account-Key:", b"X-UIDL:")


def main():
    need("thunderbird")
    need_root()
    need_fuse()
    site, expected = site_with_bag(("pop3",))
    with site:
        site.setting("pop", "Utf8Headers", "asis")  # Thunderbird asks for no UTF8, without which headers would be told in ASCII
        count, inbox = sum(map(len, expected.values())), Seen(site)
        with open(os.path.join(site.work, "cert.pem")) as f:
            certificate = base64.b64encode(ssl.PEM_cert_to_DER_cert(f.read())).decode()
        with Thunderbird(site.work, site.ports["pop3"], free_port(), kind="pop3") as bird:
            def step(body, *arguments):
                return bird.run(SHARED + body, *arguments)

            step(TRUST, PASSWORD, certificate, site.ports["pop3"], site.ports["pop3s"])
            chapter("everything, over STLS, and kept")
            claim("messages", step(FETCH, site.ports["pop3"], STLS, True), count)
            kept = [without_first(OWN, base64.b64decode(text)) for text in step(READ)]
            claim("every one as it is, but for line ends", ended(inbox.messages()) - ended(kept), collections.Counter())
            claim("all of it is still on the server", len(inbox.files()), count)
            chapter("what is new by its UIDL, with TLS from the first octet")
            add_letters(site, "late")
            claim("one more", step(FETCH, site.ports["pop3s"], TLS, True), count + 1)
            chapter("not to be kept")
            add_letters(site, "last")
            claim("and the last", step(FETCH, site.ports["pop3s"], TLS, False), count + 2)
            claim_that("which is removed", not inbox.holds("last"))


if __name__ == "__main__":
    run_main(main)
