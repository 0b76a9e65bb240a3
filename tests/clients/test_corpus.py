#!/usr/bin/env python3
"""The corpus, whole: everything that goes in must come out, byte for byte but for line ends, through the
mount, over IMAP and over POP3.  POSTERN_CORPUS names it, else it is ../shared/corpus beside the source."""
import imaplib
import os
import poplib
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.mailbag import compare, corpus_path, messages
from harness.programs import Skip, need_fuse, need_root, run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that


def by_mount(site):
    folder = site.folder("alice")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".eml"):
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                data = f.read()
            claim_quietly(os.stat(path).st_size == len(data), f"{name}: st_size is not its size")
            yield data


def by_imap(site):
    client = imaplib.IMAP4("127.0.0.1", site.ports["imap"], timeout=120)
    client.login("alice", PASSWORD)
    count = int(client.select("INBOX", readonly=True)[1][0])
    for number in range(1, count + 1):
        size, data = client.fetch(str(number), "(RFC822.SIZE BODY.PEEK[])")[1][0]
        claim_quietly(f"RFC822.SIZE {len(data)} ".encode() in size, f"{number}: {size!r} for {len(data)} octets")
        yield data
    client.logout()


def by_pop3(site):
    client = poplib.POP3("127.0.0.1", site.ports["pop3"], timeout=120)
    poplib._MAXLINE = 1 << 20  # messages have longer lines than poplib expects
    client.user("alice")
    client.pass_(PASSWORD)
    sizes = [int(line.split()[1]) for line in client.list()[1]]
    for number, size in enumerate(sizes, 1):
        data = b"".join(line + b"\r\n" for line in client.retr(number)[1])
        # POP3 must end the last line; a message that does not end with one gets it.
        claim_quietly(len(data) in (size, size + 2), f"{number}: LIST says {size} for {len(data)} octets")
        yield data[:size]
    client.quit()


def claim_quietly(holds, sentence):
    if not holds:
        raise AssertionError(sentence)


def main():
    path = corpus_path()
    if not path:
        raise Skip("no corpus beside the source; POSTERN_CORPUS names one")
    need_root()
    need_fuse()
    expected, others = messages(path)
    with Site() as site:
        site.user("alice")
        chapter(f"import of {sum(map(len, expected.values()))} messages")
        said = site.import_mail("alice", path).stderr
        claim_that("what is no mail is named as skipped", all(name in said for name in others), said)
        site.setting("pop", "Utf8Headers", "asis")  # poplib asks for no UTF8, without which headers would be told in ASCII
        site.serve("imap", "pop3")
        site.mount()
        compare("through the mount", expected, list(by_mount(site)))
        compare("over IMAP", expected, list(by_imap(site)))
        compare("over POP3", expected, list(by_pop3(site)))


if __name__ == "__main__":
    run_main(main)
