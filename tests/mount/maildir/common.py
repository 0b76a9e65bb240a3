"""What the tests of Maildir tools share: alice's mail in the mount as a Maildir, seen over IMAP as well."""
import imaplib
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from clients.common import site_with_mail, text  # noqa: F401
from harness.programs import need_fuse, need_root
from harness.site import PASSWORD
from harness.story import claim, until


class Mail:
    """Alice's mailbox by both doors."""

    def __init__(self, site):
        self.site = site
        self.root = os.path.join(site.mountpoint, "maildir", "alice")
        self.imap = imaplib.IMAP4("127.0.0.1", site.ports["imap"], timeout=120)
        self.imap.login("alice", PASSWORD)
        self.imap.select("INBOX")

    def names(self, folder="", subs=("cur", "new")):
        return sorted(os.path.join(sub, name) for sub in subs
                      for name in os.listdir(os.path.join(self.root, folder, sub)) if name[0] != ".")

    def path(self, name, folder=""):
        return os.path.join(self.root, folder, name)

    def read(self, name, folder=""):
        with open(self.path(name, folder), "rb") as f:
            return f.read()

    def texts(self, folder=""):
        return sorted(self.read(name, folder) for name in self.names(folder))

    def flags(self, folder="INBOX"):
        """UID: its flags, as IMAP says them; \\Recent is nobody's."""
        self.imap.select(folder)
        _, rows = self.imap.uid("FETCH", "1:*", "(UID FLAGS)")
        found = {}
        for row in filter(None, rows):
            uid = int(re.search(rb"UID (\d+)", row).group(1))
            flags = re.search(rb"FLAGS \(([^)]*)\)", row).group(1).decode().split()
            found[uid] = sorted(set(flags) - {"\\Recent"})
        return found

    def store(self, uid, how, flags, folder="INBOX"):
        self.imap.select(folder)
        claim(f"IMAP: UID {uid} {how} {flags}", self.imap.uid("STORE", str(uid), how, f"({flags})")[0], "OK")

    def expunge(self, uid):
        self.store(uid, "+FLAGS.SILENT", "\\Deleted")
        self.imap.expunge()

    def of_uid(self, uid, folder=""):
        """The one name of a UID."""
        found = [name for name in self.names(folder) if re.search(rf",U={uid}(:|$)", name)]
        return found[0] if len(found) == 1 else found

    def soon(self, what, question, expected):
        """For what another process has to be told of, which takes an instant."""
        until(lambda: question() == expected)
        claim(what, question(), expected)


def mail_site():
    need_root()
    need_fuse()
    return site_with_mail(("imap",), mount=True)
