#!/usr/bin/env python3
"""Thunderbird without a screen: downloads everything, flags, moves, deletes, appends, sees what comes meanwhile;
checked from the mount."""
import base64
import collections
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need
from clients.mailbag import Seen, add_letters, ended, letter, site_with_bag
from clients.marionette import Thunderbird, without_first
from harness.programs import need_fuse, need_root, run_main
from harness.site import PASSWORD, free_port
from harness.story import chapter, claim, claim_that, until

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "thunderbird.js")) as script:
    SHARED = script.read()

LOG_IN = """
server.password = args[0];
server.performExpand(null);
await until(() => server.rootFolder.descendants.length >= 6 && folderNamed("INBOX"), "the folders");
return server.rootFolder.descendants.map((f) => f.name).sort();
"""

DOWNLOAD = """
const inbox = folderNamed("INBOX");
await update(inbox);
await ended((listener) => inbox.downloadAllForOffline(listener, null));
await until(() => headers(inbox).every((h) => h.flags & Ci.nsMsgMessageFlags.Offline), "what was downloaded");
return headers(inbox).length;
"""

READ = """
return kept(folderNamed("INBOX"), (h) => h.offlineMessageSize);
"""

CHANGE = """
const inbox = folderNamed("INBOX");
const archive = folderNamed("Archive");
inbox.markMessagesFlagged([header(inbox, "flagged")], true);
inbox.markMessagesRead([header(inbox, "flagged")], true);
inbox.addKeywordsToMessages([header(inbox, "flagged")], "$label1");
await ended((listener) => MailServices.copy.copyMessages(inbox, [header(inbox, "moved")], archive, true, listener, null, false));
await ended((listener) => MailServices.copy.copyMessages(inbox, [header(inbox, "flagged")], archive, false, listener, null, false));
inbox.deleteMessages([header(inbox, "gone")], null, false, false, null, false);
const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
file.initWithPath(args[0]);
await ended((listener) => MailServices.copy.copyFileMessage(file, folderNamed("Drafts"), null, false, 0, "", listener, null));
await until(() => !header(inbox, "gone"), "the deletion");
"""

SEES = """
const inbox = folderNamed("INBOX");
await update(inbox);
await until(() => header(inbox, args[0]), "the letter " + args[0]);
return header(inbox, args[0]).mime2DecodedSubject;
"""

OWN = (b"X-Mozilla-",)


def main():
    need("thunderbird")
    need_root()
    need_fuse()
    site, expected = site_with_bag()
    with site:
        count = sum(map(len, expected.values()))
        add_letters(site, "flagged", "gone", "moved")
        inbox, archive, drafts, trash = (Seen(site, name) for name in ("INBOX", "Archive", "Drafts", "Trash"))
        with Thunderbird(site.work, site.ports["imap"], free_port()) as bird:
            def step(body, *arguments):
                return bird.run(SHARED + body, *arguments)

            chapter("everything, downloaded")
            claim("folders", step(LOG_IN, PASSWORD), sorted(["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]))
            claim("messages", step(DOWNLOAD), count + 3)
            kept = [without_first(OWN, base64.b64decode(text)) for text in step(READ)]
            claim("every one as it is, but for line ends", ended(inbox.messages()) - ended(kept), collections.Counter())
            chapter("flags, a move, a copy, a deletion, a draft")
            path = os.path.join(site.work, "written.eml")
            with open(path, "wb") as f:
                f.write(letter("written"))
            step(CHANGE, path)
            claim_that("flags and a label are there",
                       until(lambda: inbox.flags(b"<flagged@example.org>") == ["$label1", "flagged", "seen"]),
                       inbox.flags(b"<flagged@example.org>"))
            claim_that("moved", until(lambda: archive.holds("moved") and not inbox.holds("moved")))
            claim_that("copied", until(lambda: archive.holds("flagged")))
            claim_that("deleted, to Trash", until(lambda: trash.holds("gone")))
            claim_that("the draft is there", until(lambda: drafts.holds("written")))
            chapter("and what comes meanwhile")
            add_letters(site, "late")
            claim("seen", step(SEES, "late"), "letter late")


if __name__ == "__main__":
    run_main(main)
