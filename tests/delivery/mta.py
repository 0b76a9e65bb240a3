"""A mail server from Debian as a test's own instance: unpacked, not installed (`./check` does that), with its own
configuration, queue and accounts, and gone when the test is.

Postfix and Exim insist on accounts and groups of their own and on files in /etc, so an instance runs in a mount
namespace where /etc is a folder of the test's; and in a PID namespace, whose end is the end of all that it started.
"""
import glob
import os
import shutil
import signal
import smtplib
import socket
import subprocess

from harness.programs import SOURCE, Skip, need_root, patience, program
from harness.site import free_port
from harness.story import until

DOMAIN = "example.org"
# Accounts of an instance, beside root: name -> (uid, gid), far from the host's.
ACCOUNTS = {"nobody": (65534, 65534), "postfix": (62101, 62101), "Debian-exim": (62102, 62102),
            "alice": (62201, 62201), "erin": (62202, 62202)}
GROUPS = {"root": 0, "nogroup": 65534, "postfix": 62101, "Debian-exim": 62102, "postdrop": 62103,
          "alice": 62201, "erin": 62202}
FROM_HOST = ("localtime", "nsswitch.conf")


def unpacked(package):
    """Where a package lies; a Skip that says why it does not."""
    debs = os.environ.get("POSTERN_DEBS") or os.path.join(SOURCE, "build-check", "debs")
    path = os.path.join(debs, package)
    if not os.path.isdir(path):
        raise Skip(f"{package} is not unpacked: ./check delivery does that, and {path}.log would say why it could not")
    return path


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def lines(mapping, separator=" = "):
    return "".join(f"{name}{separator}{value}\n" for name, value in mapping.items())


class MailServer:
    """What Postfix and Exim have in common.  site: whose lmtpd is delivered to."""
    package = None

    def __init__(self, site, **options):
        need_root()
        self.site = site
        self.root = unpacked(self.package)
        self.home = os.path.join(site.work, self.package)
        self.port = free_port()
        self.process = None
        os.chmod(site.work, 0o711)  # its processes are not root, and have to come by
        os.mkdir(self.home, 0o755)
        self.make_etc()
        self.make_homes()
        self.configure(**options)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, _trace):
        self.stop()
        if kind is not None:
            print(f"--- log of {self.package} (last 40 lines)")
            print("\n".join(self.log().splitlines()[-40:]))
        return False

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    # --- its world ---

    def make_etc(self):
        etc = self.path("etc")
        os.mkdir(etc)
        accounts = {"root": (0, 0), **ACCOUNTS}
        write(os.path.join(etc, "passwd"), "".join(f"{name}:x:{uid}:{gid}:{name}:{self.path('home', name)}:/bin/sh\n"
                                                   for name, (uid, gid) in accounts.items()))
        write(os.path.join(etc, "group"), "".join(f"{name}:x:{gid}:\n" for name, gid in GROUPS.items()))
        write(os.path.join(etc, "hosts"), f"127.0.0.1 localhost mx.{DOMAIN}\n")
        write(os.path.join(etc, "services"), "smtp 25/tcp\nlmtp 24/tcp\n")
        write(os.path.join(etc, "protocols"), "ip 0 IP\ntcp 6 TCP\nudp 17 UDP\n")
        for name in FROM_HOST:
            if os.path.exists(os.path.join("/etc", name)):
                shutil.copyfile(os.path.join("/etc", name), os.path.join(etc, name))
        self.make_library_cache(etc)

    def make_homes(self):
        os.mkdir(self.path("home"))
        for name, (uid, gid) in ACCOUNTS.items():
            os.mkdir(self.path("home", name), 0o755)
            os.chown(self.path("home", name), uid, gid)
        # Accounts may have no way to where it was built.
        shutil.copy(program("postern"), self.path("postern"))

    def forward(self, account, text):
        path = self.path("home", account, ".forward")
        write(path, text)
        os.chown(path, *ACCOUNTS[account])

    def kept(self, account):
        """What the server itself delivered to an account of local.DOMAIN, each with Return-Path first, and LF."""
        for path in glob.glob(os.path.join(self.path("home", account, "Maildir"), "new", "*")):
            with open(path, "rb") as f:
                yield f.read()

    def make_library_cache(self, etc):
        """With what was unpacked; LD_LIBRARY_PATH would be nothing to a program that is set-user-ID, as Exim is."""
        folders = [folder for pattern in ("usr/lib/postfix", "usr/lib", "usr/lib/*-linux-gnu", "lib/*-linux-gnu")
                   for folder in glob.glob(os.path.join(self.root, pattern))]
        write(self.path("ld.so.conf"), "\n".join([*folders, "include /etc/ld.so.conf", ""]))
        subprocess.run(["/sbin/ldconfig", "-X", "-f", self.path("ld.so.conf"), "-C", os.path.join(etc, "ld.so.cache")],
                       check=True, capture_output=True)

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

    # --- its life ---

    def start(self):
        inside = 'mount --bind "$1" /etc && shift && exec "$@"'
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL"]
        possible = subprocess.run([*argv, "true"], capture_output=True, text=True)
        if possible.returncode != 0:
            raise Skip(f"no namespaces here: {possible.stderr.strip()}")
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([*argv, "sh", "-c", inside, "sh", self.path("etc"), *self.command()],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(),
                                            cwd=self.home)
        if not until(self.listens, 20) or self.process.poll() is not None:
            self.stop()
            raise AssertionError(f"{self.package} does not serve:\n{self.log()}")

    def listens(self):
        with socket.socket() as probe:
            return self.process.poll() is not None or probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """All of it, at once: whatever it still has queued is thrown away.  The first process of the namespace is killed by
        us: the kernel forgets that it is to die with its parent when it becomes another user, as Exim does."""
        pid = self.process.pid
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                for child in f.read().split():
                    os.kill(int(child), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass  # gone already
        self.process.kill()
        self.process.wait()

    def log(self):
        """All that it said."""
        text = ""
        for path in [self.path("log"), *glob.glob(self.path("logs", "*"))]:
            with open(path, errors="backslashreplace") as f:
                text += f.read()
        return text

    def logged(self, words, seconds=30):
        """Whether it says so, soon."""
        return until(lambda: words in self.log(), seconds)

    def smtp(self, seconds=60):
        return Submission(self.port, seconds)

    def drained(self, seconds):
        """Whether its queue is empty, in time."""
        return until(lambda: self.queued() == 0, seconds)


class Submission(smtplib.SMTP):
    """A connection over which a test hands mail to a mail server: exact octets."""

    def __init__(self, port, seconds):
        super().__init__("127.0.0.1", port, timeout=patience(seconds))
        self.ehlo("client.example.net")

    def say(self, line, wanted=250):
        self.send(line.encode() + b"\r\n")
        code, text = self.getreply()
        if code != wanted:
            raise AssertionError(f"{line} was answered {code} {text.decode(errors='backslashreplace')}")

    def hand_over(self, sender, recipients, octets, parameters="", chunk=None):
        """octets with CR LF; chunk: by BDAT, in chunks of so many."""
        self.say(f"MAIL FROM:<{sender}>{parameters}")
        for recipient in recipients:
            self.say(f"RCPT TO:<{recipient}>")
        if chunk is None:
            self.say("DATA", 354)
            self.send(stuffed(octets))
            self.say(".")
            return
        for at in range(0, len(octets) or 1, chunk):
            piece = octets[at:at + chunk]
            last = b" LAST" if at + chunk >= len(octets) else b""
            self.send(b"BDAT %d%s\r\n" % (len(piece), last) + piece)
            code, text = self.getreply()
            if code != 250:
                raise AssertionError(f"BDAT was answered {code} {text.decode(errors='backslashreplace')}")


def stuffed(octets):
    """As DATA has it, but for the dot at its end."""
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    return (b"." if octets.startswith(b".") else b"") + octets.replace(b"\r\n.", b"\r\n..")


class Postfix(MailServer):
    package = "postfix"
    #: folders of the queue: mode, owner, group
    QUEUE = {**dict.fromkeys("active bounce corrupt defer deferred flush hold incoming private saved trace".split(),
                             (0o700, "postfix", "root")),
             "maildrop": (0o730, "postfix", "postdrop"), "public": (0o710, "postfix", "postdrop"),
             "pid": (0o755, "root", "root")}
    #: service: type, private, unprivileged, wakeup, process limit, program and its arguments
    SERVICES = """
pickup    unix n n 60  1 pickup
cleanup   unix n - -   0 cleanup
qmgr      unix n n 1   1 qmgr
rewrite   unix - - -   - trivial-rewrite
bounce    unix - - -   0 bounce
defer     unix - - -   0 bounce
trace     unix - - -   0 bounce
verify    unix - - -   1 verify
flush     unix n - 1000? 0 flush
proxymap  unix - - -   - proxymap
smtp      unix - - -   - smtp
relay     unix - - -   - smtp
error     unix - - -   - error
retry     unix - - -   - error
discard   unix - - -   - discard
local     unix - n -   - local
virtual   unix - n -   - virtual
lmtp      unix - - -   - lmtp
anvil     unix - - -   1 anvil
scache    unix - - -   1 scache
postlog   unix-dgram n - - 1 postlogd
"""

    def configure(self, lmtp, **more):
        """lmtp: where lmtpd listens, as Postfix writes it; more: of main.cf."""
        sbin = os.path.join(self.root, "usr/lib/postfix/sbin")
        self.queue = self.path("queue")
        self.settings = {
            "compatibility_level": "3.6", "maillog_file": "/dev/stdout",
            "import_environment": "MAIL_CONFIG PATH LC_ALL",
            "queue_directory": self.queue, "data_directory": self.path("data"), "daemon_directory": sbin,
            "command_directory": os.path.join(self.root, "usr/sbin"),
            "shlib_directory": os.path.join(self.root, "usr/lib/postfix"),
            "sendmail_path": os.path.join(self.root, "usr/sbin/sendmail"), "setgid_group": "postdrop",
            "myhostname": f"mx.{DOMAIN}", "mydestination": f"local.{DOMAIN}", "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "disable_dns_lookups": "yes",
            "alias_maps": "", "local_recipient_maps": "", "biff": "no", "recipient_delimiter": "+",
            "virtual_mailbox_domains": DOMAIN, "virtual_transport": lmtp, "default_transport": "error:nothing goes out",
            "message_size_limit": 0, "mailbox_size_limit": 0, "smtputf8_enable": "yes", "home_mailbox": "Maildir/",
            # The octets as they came.
            "local_header_rewrite_clients": "", "message_drop_headers": "", "lmtp_line_length_limit": 0,
            # Whom nobody answers for a moment is tried again in the next.
            "default_destination_concurrency_failed_cohort_limit": 0, "initial_destination_concurrency": 10,
            "minimal_backoff_time": "1s", "maximal_backoff_time": "2s", "queue_run_delay": "1s", "in_flow_delay": 0,
            **more}
        self.make_queue()
        os.mkdir(self.path("config"))
        write(self.path("config", "main.cf"), lines(self.settings))
        services = "".join(f"{' '.join(words[:4])} n {' '.join(words[4:])}\n"
                           for words in map(str.split, self.SERVICES.strip().splitlines()))
        services += f"127.0.0.1:{self.port} inet n - n - - smtpd\n"
        write(self.path("config", "master.cf"), services)

    def make_queue(self):
        os.mkdir(self.queue, 0o755)
        os.mkdir(self.path("data"))
        os.chown(self.path("data"), *ACCOUNTS["postfix"])
        uids = {"root": 0, "postfix": ACCOUNTS["postfix"][0]}
        for name, (mode, owner, group) in self.QUEUE.items():
            os.mkdir(os.path.join(self.queue, name))
            os.chown(os.path.join(self.queue, name), uids[owner], GROUPS[group])
            os.chmod(os.path.join(self.queue, name), mode)

    def command(self):
        # -i: as the first process of a container.
        return [os.path.join(self.root, "usr/lib/postfix/sbin/master"), "-i", "-c", self.path("config")]

    def queued(self):
        return sum(len(names) for folder in ("maildrop", "incoming", "active", "deferred", "corrupt")
                   for _, _, names in os.walk(os.path.join(self.queue, folder)))


class Exim(MailServer):
    package = "exim4-daemon-heavy"

    def configure(self, lmtp, rcpt="accept", main="", routers="", transports="", authenticators=""):
        """lmtp: the transport that delivers, as its options; rcpt: the ACL; the rest: more of each part of the
        configuration."""
        self.spool = self.path("spool")
        for folder in (self.spool, self.path("logs")):
            os.mkdir(folder)
            os.chown(folder, *ACCOUNTS["Debian-exim"])
        os.mkdir(self.path("etc", "exim4"))
        self.program = os.path.join(self.root, "usr/sbin/exim4")
        # This name is known to it; any other would cost it its rights.
        write(self.path("etc", "exim4", "exim4.conf"), f"""\
exim_path = {self.program}
spool_directory = {self.spool}
log_file_path = {self.path("logs", "%s")}
log_selector = +smtp_confirmation
pid_file_path = {self.path("pid")}
primary_hostname = mx.{DOMAIN}
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
tls_advertise_hosts =
return_path_remove = false
envelope_to_remove = false
delivery_date_remove = false
smtputf8_advertise_hosts = *
chunking_advertise_hosts = *
acl_smtp_mail = accept
acl_smtp_rcpt = {rcpt}
acl_smtp_data = accept
acl_not_smtp = accept
message_size_limit = 0
message_logs = false
never_users =
smtp_accept_max = 50
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 10
queue_run_max = 4
remote_max_parallel = 4
split_spool_directory
keep_environment =
add_environment = PATH=/usr/bin:/bin
{main}
begin routers
{routers}
postern:
  driver = accept
  domains = {DOMAIN}
  transport = postern
accounts:
  driver = accept
  domains = local.{DOMAIN}
  check_local_user
  transport = maildir
nowhere:
  driver = redirect
  allow_fail
  data = :fail: nothing goes out

begin transports
postern:
{lmtp}
maildir:
  driver = appendfile
  directory = $home/Maildir
  maildir_format
  return_path_add
{transports}
begin retry
* * F,1d,1s

begin authenticators
{authenticators}
""")

    def command(self):
        return [self.program, "-bdf", "-q1s"]

    def queued(self):
        return sum(name.endswith("-H") for _, _, names in os.walk(os.path.join(self.spool, "input")) for name in names)
