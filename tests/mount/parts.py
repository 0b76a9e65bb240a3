#!/usr/bin/env python3
"""Mail taken apart: what the mount shows under parts/ against what Python's email package makes of the same octets.

    parts.py make DIR             writes messages, one a file, CRLF
    parts.py compare PARTS MAIL   compares every message's directory with the message itself
"""
import email
import email.header
import email.message
import email.policy
import os
import pathlib
import re
import stat
import sys
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email import encoders

FIELDS = {"from": "From", "to": "To", "cc": "Cc", "subject": "Subject", "date": "Date"}
KEEP = re.compile(r"[\w@+.\-]")


def head(message, subject="A subject"):
    message["From"] = "Ann <ann@example.org>"
    message["To"] = "bob@example.org"
    message["Subject"] = subject
    message["Date"] = "Mon, 3 Mar 2025 10:00:00 +0000"
    message["Message-ID"] = "<%s@example.org>" % abs(hash(subject))
    return message


def attachment(octets, name=None, how=None, encoding="base64"):
    part = MIMEBase("application", "octet-stream")
    part.set_payload(octets)
    encoders.encode_base64(part) if encoding == "base64" else encoders.encode_quopri(part)
    if name is not None:
        part.add_header("Content-Disposition", how or "attachment", filename=name)
    return part


def mixed(*parts, subject="Parts", subtype="mixed"):
    message = MIMEMultipart(subtype)
    for part in parts:
        message.attach(part)
    return head(message, subject)


def raw(text):
    return text if isinstance(text, bytes) else text.encode()


def messages():
    every = bytes(range(256)) * 40
    yield "plain", raw("From: a@b.c\nTo: x@y.z,\n  second@y.z\nCc: c@c.c\nSubject: Plain\n\nOne\nTwo\n")
    yield "none", raw("no header, no line end")
    yield "empty", raw("Subject: empty\n\n")
    yield "latin", raw(b"Subject: =?iso-8859-1?q?Gr=FC=DFe?=\nFrom: =?utf-8?b?SsO8cmdlbg==?= <j@x.y>\n"
                       b"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nGr\xfc\xdfe\n")
    yield "qp", head(MIMEText("Zwölf Boxkämpfer " * 60 + "\n=\n", _charset="utf-8")).as_bytes()
    message = head(email.message.EmailMessage(policy=email.policy.SMTP.clone(cte_type="7bit")), "Quoted")
    message.set_content("Ein langer Text: äöü, und =\n" * 40, cte="quoted-printable")
    yield "quoted", message.as_bytes()
    yield "two", mixed(MIMEText("the text\n"), attachment(every, "report.pdf")).as_bytes()
    yield "names", mixed(MIMEText("x\n"), attachment(b"1", "../../etc/passwd"), attachment(b"22", "C:\\docs\\a b.txt"),
                         attachment(b"333", "a\u202egpj.exe"), attachment(b"4444", "tab\there.bin"),
                         attachment(b"55555", "Übersicht €.xls"), attachment(b"6", "same.txt"), attachment(b"7", "same.txt"),
                         attachment(b"8", "."), attachment(b"9", ".."), attachment(b"10", ""), attachment(b"11", "-rf"),
                         attachment(b"12", "名前.txt"), attachment(b"13", "n" * 300 + ".tar.gz"),
                         attachment(b"14", "a/b/.bashrc"), attachment(b"15", "one\u200btwo.txt"), attachment(b"16"),
                         subject="Names").as_bytes()
    yield "rfc2047", raw("Subject: names\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
                         "--b\nContent-Type: application/pdf; name=\"=?utf-8?q?Gr=C3=BC=C3=9Fe=2Epdf?=\"\n"
                         "Content-Transfer-Encoding: base64\n\nSGFsbG8=\n--b\n"
                         "Content-Disposition: attachment; filename*0*=utf-8''%e2%82%ac; filename*1*=uro.txt\n\nx\n--b--\n")
    inner = mixed(MIMEText("inner text\n"), attachment(every, "inner.bin"), subject="Inner")
    yield "enclosed", mixed(MIMEText("outer\n"), MIMEMessage(inner), attachment(b"end", "end.txt"), subject="Outer").as_bytes()
    yield "forwarded", head(MIMEMessage(MIMEText("just that\n")), "Forwarded").as_bytes()
    alternative = MIMEMultipart("alternative", _subparts=[MIMEText("plain wins\n"), MIMEText("<p>html</p>\n", "html")])
    yield "alternative", mixed(alternative, attachment(every, "q.bin", encoding="qp"), subject="Alternative").as_bytes()
    yield "html", head(MIMEText("<p>only</p>\n", "html"), "Html").as_bytes()
    yield "attached", mixed(attachment(b"abc", "first.bin"), subject="No text").as_bytes()
    yield "large", mixed(MIMEText("with a large one\n"), attachment(os.urandom(3_000_000), "large.bin"),
                         attachment(every * 60, "large.qp", encoding="qp"), subject="Large").as_bytes()
    yield "unended", raw("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\n\nsecond, and no end")
    yield "deepish", deep(20)
    yield "control", raw(b"Subject: a\x01b\n\tfolded\nContent-Type: multipart/mixed; boundary=b\n\n"
                         b"--b\nContent-Disposition: attachment; filename=\"x\x01\x7fy.txt\"\n\nx\n--b--\n")


def deep(n):
    message = MIMEText("bottom\n")
    for _ in range(n):
        outer = MIMEMultipart("mixed")
        outer.attach(message)
        message = outer
    return head(message, "Deep").as_bytes()


def make(folder):
    for name, octets in messages():
        octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        pathlib.Path(folder, name).write_bytes(octets)


failures = 0


def fail(where, what):
    global failures
    failures += 1
    print(f"{where}: {what}")


def want(where, wanted, got):
    if wanted != got:
        fail(where, f"wanted {wanted!r:.200}, got {got!r:.200}")


def leaves(part, number=""):
    """Each part that is a file, by its number (RFC 9051 6.4.5.1)."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for i, child in enumerate(part.get_payload(), 1):
            yield from leaves_of_child(child, f"{number}.{i}" if number else str(i))
    else:
        yield from leaves_of_child(part, f"{number}.1" if number else "1")


def leaves_of_child(part, number):
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        yield number, part
        yield from leaves(part.get_payload(0), number)
    elif part.is_multipart():
        yield from leaves(part, number)
    else:
        yield number, part


def octets_of(part):
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        return None  # what Python makes of it need not be what it read
    return part.get_payload(decode=True) or b""


def decoded(value):
    return "".join(text.decode(charset or "utf-8", "replace") if isinstance(text, bytes) else text
                   for text, charset in email.header.decode_header(value))


def best_text(message):
    found = {"plain": [], "html": []}

    def look(part):
        if part.get_content_maintype() == "multipart":
            for child in part.get_payload() if part.is_multipart() else []:
                look(child)
        elif part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            found.setdefault(part.get_content_subtype(), []).append(part)
    look(message)
    for part in sum(found.values(), []):
        return part.get_payload(decode=True).decode(part.get_content_charset() or "utf-8", "replace").replace("\r\n", "\n")
    return ""


def safe(where, name):
    if name in (".", "..") or len(name.encode()) > 255 or not all(KEEP.match(c) for c in name):
        fail(where, f"an unsafe name {name!r}")


def compare(parts, mail):
    octets = mail.read_bytes()
    if octets.startswith(b"no header"):
        return  # here it is a header without an end, there a body without a beginning
    message = email.message_from_bytes(octets)
    names = sorted(os.listdir(parts))
    files = {}
    for name in names:
        safe(parts, name)
        status = os.lstat(parts / name)
        files[name] = (parts / name).read_bytes()
        want(parts / name, status.st_size, len(files[name]))
        want(parts / name, True, stat.S_ISREG(status.st_mode))
    want(parts, octets, files["raw"])
    header = octets[:octets.find(b"\n\n") + 2] if b"\n\n" in octets else None
    if header:
        want(parts / "header", header, files["header"])
    for name, field in FIELDS.items():
        value = message.get(field)
        wanted = "" if value is None else re.sub(r"[\x00-\x1f\x7f]", " ", decoded(re.sub(r"\n(?=[ \t])", "", str(value)))) + "\n"
        want(parts / name, " ".join(wanted.split()), " ".join(files[name].decode().split()))
    want(parts / "messageid", str(message.get("Message-ID", "")).strip("<>"), files["messageid"].decode().strip())
    want(parts / "body.txt", best_text(message), files["body.txt"].decode())
    numbers = []
    for number, part in leaves(message):
        found = [n for n in names if n == number or n.startswith(number + "-")]
        if len(found) != 1:
            fail(parts, f"part {number}: {found}")
            continue
        numbers += found
        if octets_of(part) is not None:
            want(parts / found[0], octets_of(part), files[found[0]])
        else:
            if files[found[0]] not in octets:
                fail(parts / found[0], "is not in the message")
            want(parts / found[0], part.get_payload(0).get("Subject"), email.message_from_bytes(files[found[0]]).get("Subject"))
        want(parts / number, files[found[0]], (parts / number).read_bytes())
    want(parts, ["body.txt", "cc", "date", "flags", "from", "header", "messageid", "raw", "subject", "to"],
         [n for n in names if n not in numbers])


def main():
    if sys.argv[1] == "make":
        make(sys.argv[2])
        return 0
    parts, mail = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    names = sorted(os.listdir(mail))
    want(parts, names, sorted(os.listdir(parts)))
    for name in names:
        compare(parts / name, mail / name)
    print(f"{len(names)} messages compared")
    return 1 if failures or not names else 0


sys.exit(main())
