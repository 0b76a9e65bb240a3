#!/usr/bin/env python3
"""Whichever door changes a mailbox, who idles over IMAP4 is told, and who watches with NOTIFY: another
imapd process, POP3, `postern import`, the mount."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.daemon import Daemon
from harness.programs import program, run_main
from harness.site import PASSWORD, Site, free_port
from harness.story import chapter, claim
from harness.wire import Wire

MAIL = "From: a@example.org\r\nSubject: {}\r\n\r\nHello.\r\n"


class Client:
    def __init__(self, port):
        self.wire = Wire(port)
        self.wire.read_line()
        self.ok(f"login LOGIN alice {PASSWORD}")

    def ok(self, command):
        lines = self.wire.imap(command)
        claim(f"OK to {command.split(' ', 1)[1].splitlines()[0]}", lines[-1].split()[1], "OK")
        return lines

    def append(self, folder, subject):
        mail = MAIL.format(subject)
        self.ok(f"append APPEND {folder} {{{len(mail)}+}}\r\n{mail}")

    def idle(self):
        self.wire.send_line("idle IDLE")
        claim("IDLE begins", self.wire.read_line()[:1], b"+")

    def hears(self, why, expected):
        """What the next untagged line begins with; RECENT is not what this is about."""
        while (line := self.wire.read_response().decode("latin-1")).endswith(" RECENT"):
            pass
        claim(why, line[:len(expected)], expected)


def pop3_delete(site, number):
    with site.wire("pop3") as wire:
        wire.read_line()
        for command in ("USER alice", f"PASS {PASSWORD}", f"DELE {number}", "QUIT"):
            claim(f"+OK to {command.split()[0]}", wire.ask(command)[:3], "+OK")


def other_imapd(site):
    """A second process over the same store, on a port of its own."""
    port = free_port()
    site.configure("imap", "listen", f"127.0.0.1:{port}")
    site.daemons["imap again"] = Daemon([program("postern-imapd"), "--store", site.store], site.work,
                                        "postern-imapd-again")
    return port


def main():
    with Site() as site:
        site.user("alice")
        site.serve("imap", "pop3")
        first = site.ports["imap"]
        second = other_imapd(site)
        idler, watcher, other = Client(first), Client(first), Client(second)
        idler.ok("s SELECT INBOX")
        idler.idle()
        watcher.ok("n NOTIFY SET (personal (MessageNew MessageExpunge FlagChange))")

        chapter("Another imapd process")
        other.append("INBOX", "one")
        idler.hears("what it appended is told to who idles", "* 1 EXISTS")
        watcher.hears("and to who watches", watcher_status(other, 1, 2, 1))
        other.ok("s SELECT INBOX")
        other.ok("f STORE 1 +FLAGS.SILENT (\\Flagged)")
        idler.hears("a flag is told", "* 1 FETCH (FLAGS (\\Flagged")
        other.ok("u UNSELECT")

        chapter("postern import")
        path = os.path.join(site.work, "two.eml")
        with open(path, "w", newline="") as f:
            f.write(MAIL.format("two"))
        site.import_mail("alice", path)
        idler.hears("what it imported is told", "* 2 EXISTS")
        watcher.hears("and watched", watcher_status(other, 2, 3, 2))

        chapter("POP3")
        pop3_delete(site, 1)
        idler.hears("what it deleted is told", "* 1 EXPUNGE")
        watcher.hears("and watched", watcher_status(other, 1, 3, 1))

        chapter("The mount")
        site.mount()
        name = os.path.join(site.folder("alice"), "three.eml")
        with open(name, "w", newline="") as f:
            f.write(MAIL.format("three"))
        idler.hears("a file that was written is told", "* 2 EXISTS")
        watcher.hears("and watched", watcher_status(other, 2, 4, 2))
        os.unlink(name)
        idler.hears("a file that was removed is told", "* 2 EXPUNGE")
        idler.wire.send_line("DONE")
        claim("IDLE ends", idler.wire.read_line().split()[1], b"OK")


def watcher_status(client, messages, uidnext, unseen):
    """The STATUS that FlagChange and MessageNew make together."""
    validity = client.ok("v STATUS INBOX (UIDVALIDITY)")[0].split("UIDVALIDITY ")[1].rstrip(")")
    return (f"* STATUS INBOX (MESSAGES {messages} UIDNEXT {uidnext} UIDVALIDITY {validity} "
            f"UNSEEN {unseen})")


if __name__ == "__main__":
    run_main(main)
