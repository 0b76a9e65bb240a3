#!/usr/bin/env python3
"""Python's mailbox.Maildir on the Maildir view."""
import email
import mailbox
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import Mail, mail_site, text
from harness.programs import run_main
from harness.story import chapter, claim, claim_that


def main():
    with mail_site() as site:
        mail = Mail(site)
        box = mailbox.Maildir(mail.root, create=False)
        chapter("reads")
        claim("two messages", len(box), 2)
        claim("their bytes", sorted(box.get_bytes(key) for key in box.keys()), mail.texts())
        claim("folders", sorted(box.list_folders()), ["Archive", "Drafts", "Junk", "Sent", "Trash"])
        chapter("adds, and finds what it added by its key")
        message = mailbox.MaildirMessage(text("plain.eml"))
        message.set_subdir("cur")
        message.set_flags("FS")
        message.set_date(1580702706)
        key = box.add(message)
        claim("it is there", box.get_message(key).get_flags(), "FS")
        claim("its bytes", box.get_bytes(key), text("plain.eml"))
        claim("over IMAP", mail.flags()[3], ["\\Flagged", "\\Seen"])
        claim("its date", mail.imap.uid("FETCH", "3", "(INTERNALDATE)")[1][0].split(b'"')[1][:11], b"03-Feb-2020")
        plain = box.add(text("parts.eml"))
        claim("in new without flags", box.get_message(plain).get_subdir(), "new")
        claim("nothing is left in tmp", mail.names("", ("tmp",)), [])
        chapter("flags, both ways")
        message = box.get_message(plain)
        message.set_subdir("cur")
        message.add_flag("R")
        box[plain] = message
        claim("answered over IMAP", sorted(mail.flags().values()), [[], [], ["\\Answered"], ["\\Flagged", "\\Seen"]])
        claim("four messages", len(mail.flags()), 4)
        mail.store(3, "-FLAGS", "\\Seen")
        box._refresh()
        claim("IMAP's flag is in the name", box.get_message(key).get_flags(), "F")
        chapter("removes")
        box.discard(key)
        claim_that("it is gone over IMAP", 3 not in mail.flags())
        claim("and is not in Trash", mail.flags("Trash"), {})
        chapter("folders")
        folder = box.add_folder("Made")
        folder.add(text("plain.eml"))
        claim("a folder with one message", mail.flags("Made"), {1: []})
        mail.imap.select("INBOX")
        folder.clear()
        box.remove_folder("Made")
        claim_that("and it goes", "Made" not in box.list_folders())
        claim_that("over IMAP too", not any(b"Made" in row for row in mail.imap.list()[1]))
        new = mailbox.Maildir(mail.path(".Fresh"), create=True)
        new.add(email.message_from_bytes(text("plain.eml")))
        claim("a Maildir that it makes itself", mail.flags("Fresh"), {1: []})


if __name__ == "__main__":
    run_main(main)
