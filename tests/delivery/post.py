"""An LMTP client of a test: exact octets, and an answer for each recipient."""
import re
import smtplib

from harness.programs import patience


class Post(smtplib.LMTP):
    """port: a TCP port, or the path of a Unix socket."""

    def __init__(self, port, seconds=15):
        self.unix = isinstance(port, str)
        super().__init__(port if self.unix else "127.0.0.1", 0 if self.unix else port, timeout=patience(seconds))
        self.ehlo("client.example")

    def send(self, octets):
        # smtplib's own would have sendall without a look at who is gone.
        try:
            self.sock.sendall(octets if isinstance(octets, bytes) else octets.encode("latin-1"))
        except OSError as e:
            self.close()
            raise smtplib.SMTPServerDisconnected(str(e))

    def deliver(self, sender, recipients, octets, chunked=False):
        """The answers, one for each recipient, as (code, text); octets have CR LF."""
        code, text = self.docmd(f"MAIL FROM:<{sender}>")
        if code != 250:
            return [(code, text.decode())] * len(recipients)
        answers = [self.docmd(f"RCPT TO:<{recipient}>") for recipient in recipients]
        taken = [i for i, (code, _) in enumerate(answers) if code == 250]
        if taken:
            if chunked:
                self.send(f"BDAT {len(octets)} LAST\r\n".encode() + octets)
            else:
                self.docmd("DATA")
                stuffed = b"".join(b"." + line if line.startswith(b".") else line
                                   for line in octets.splitlines(keepends=True))
                self.send(stuffed + b".\r\n")
            for i in taken:
                answers[i] = self.getreply()
        else:
            self.rset()
        return [(code, text.decode()) for code, text in answers]


def deliver(port, sender, recipients, octets, **how):
    with Post(port) as post:
        return post.deliver(sender, recipients, octets, **how)


def codes(answers):
    return [code for code, _ in answers]


def bodies(site, user, folder="INBOX"):
    """The messages of a folder, in order."""
    with site.wire("imap") as wire:
        wire.read_line()
        wire.imap(f"a LOGIN {user} secret")
        wire.imap(f"b EXAMINE {folder}")
        wire.send_line("c FETCH 1:* (BODY.PEEK[])")
        found = []
        while (line := wire.read_response()).startswith(b"* "):
            if (literal := re.search(rb"BODY\[\] \{(\d+)\}\r\n", line)):
                found.append(line[literal.end():literal.end() + int(literal[1])])
        return found
