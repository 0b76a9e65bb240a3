#!/usr/bin/env python3
"""compare.py - run mailload against a throw-away Dovecot and another server, interleaved.

  compare.py --self                                   Dovecot alone (the baseline)
  compare.py --other dovecot:maildir                  two Dovecots (checks the method: sdbox vs maildir)
  compare.py --other imap=127.0.0.1:1143,pop3=127.0.0.1:1110,users=user%d,password=pass,pids=4711

dovecot.py makes a postern store for it and holds the ratios to their bars.

The Dovecot comes from the distribution's packages (dovecot-imapd dovecot-pop3d
dovecot-lmtpd), runs as its own instance from a temporary directory on free
loopback ports and is removed again at the end, also after Ctrl-C.

The other server must know the users user1 .. user59 (pattern: users=) with that
password; what is in their mailboxes IS DELETED and replaced.  pids= takes the
server's root process ids joined by "+" (their descendants are found); without
it there is no CPU and memory column for it.  pop3= and lmtp= may be missing.
domain= is appended in RCPT TO when the server needs one.  limited= is the IMAP
address, limited_pids= the processes, of a second server that holds a user to its
default number of sessions, which `refuse` measures; without it, the first.

Every workload runs first once with --verify (contents, counts, sizes are
checked; a server that fails is shown as FAILED), then ROUNDS times on each
server in turn, A B, B A, A B ...; shown are medians.  Trust the ratio: both
sides ran seconds apart on the same machine.  The CPU column (server processes,
microseconds per operation, 10 ms clock ticks) is the steadier one on a busy
machine.  For the short commands (noop, select, status, store-flags) use --cpu 0:
where the two ends sit on different CPUs a round trip costs a wake-up, which on a
virtual machine is dearer than the command and jumps about.

Caveats: the PSS figure is the difference to just before the connections were
opened.  The Dovecot is restarted for that; the other server is not, so give it
fresh processes (restart it, use --only=idle) or read its absolute pss_* in the
JSON.  A Dovecot's IDLE uses one inotify instance per process and the default
limit of 128 per uid is shared with everything else of that uid.  Debian's
cyrus-imapd cannot be installed next to dovecot-imapd.
"""
import argparse, atexit, json, os, platform, pwd, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

BUILD = os.environ.get("POSTERN_BUILD", "build")
NUSERS = 400          # users the Dovecot gets; the standard workloads need 59


def free_ports(n):
    socks, ports = [], []
    for _ in range(n):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        socks.append(s)
        ports.append(s.getsockname()[1])
    for s in socks:
        s.close()
    return ports


def wait_port(port, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        try:
            s = socket.create_connection(("127.0.0.1", port), 1)
            s.settimeout(5)
            data = s.recv(100)
            s.close()
            if data:
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def family(pids):
    """These processes and all their descendants."""
    parent = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            try:
                parent[int(d)] = int(open("/proc/%s/stat" % d).read().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                pass
    found = {int(p) for p in pids.split(",") if p}
    while True:
        more = {p for p, pp in parent.items() if pp in found} - found
        if not more:
            return found
        found |= more


def pin(pids, cpus):
    for p in family(pids):
        try:
            for t in os.listdir("/proc/%d/task" % p):
                os.sched_setaffinity(int(t), cpus)
        except OSError:
            pass


class Server:
    name = "?"
    imap = pop3 = lmtp = None
    users, password, domain, pids = "user%d", "pass", "", None

    def args(self):
        a = ["--user=" + self.users, "--pass=" + self.password]
        for p in ("imap", "pop3", "lmtp"):
            if getattr(self, p):
                a.append("--%s=%s" % (p, getattr(self, p)))
        if self.domain:
            a.append("--domain=" + self.domain)
        if self.pids:
            a.append("--server-pids=" + self.pids)
        return a

    def restart(self):
        pass

    def stop(self):
        pass


class Other(Server):
    limited = limited_pids = None

    def __init__(self, spec):
        self.name = "other"
        for part in spec.split(","):
            k, _, v = part.partition("=")
            if k in ("imap", "pop3", "lmtp", "users", "password", "domain", "name", "limited"):
                setattr(self, k, v)
            elif k in ("pids", "limited_pids"):
                setattr(self, k, v.replace("+", ","))
            else:
                sys.exit("--other: unknown key " + k)
        if not self.imap:
            sys.exit("--other: imap=HOST:PORT is needed")

    def of_limits(self):
        """The server that `refuse` asks."""
        if not self.limited:
            return self
        return Other("imap=%s,users=%s,password=%s%s" % (self.limited, self.users, self.password,
            ",pids=" + self.limited_pids.replace(",", "+") if self.limited_pids else ""))


class Dovecot(Server):
    """A private instance; fmt: sdbox, mdbox or maildir; mode: tuned or default."""

    LOCATION = {"sdbox": "sdbox:~/sdbox", "mdbox": "mdbox:~/mdbox", "maildir": "maildir:~/Maildir"}

    def __init__(self, name, fmt, mode, limit=100000, hibernate=0, extra="", base=None, scheme="PLAIN"):
        self.name, self.fmt, self.mode, self.limit, self.hibernate, self.extra = name, fmt, mode, limit, hibernate, extra
        self.proc = None
        self.dir = tempfile.mkdtemp(prefix="compare-dovecot-", dir=base)
        atexit.register(self.destroy)
        os.chmod(self.dir, 0o755)
        ports = free_ports(3)
        self.imap, self.pop3, self.lmtp = ("127.0.0.1:%d" % p for p in ports)
        self.port = ports
        os.mkdir(self.dir + "/mail")
        os.mkdir(self.dir + "/run", 0o755)
        self.root = os.geteuid() == 0
        if self.root:
            m = pwd.getpwnam("mail")
            os.chown(self.dir + "/mail", m.pw_uid, m.pw_gid)
        verifier = "{PLAIN}pass"
        if scheme != "PLAIN":
            verifier = subprocess.run(["doveadm", "pw", "-s", scheme, "-p", "pass"], stdout=subprocess.PIPE, check=True,
                                      text=True).stdout.strip()
            self.extra += "auth_cache_size = 10M\n"
        with open(self.dir + "/users", "w") as f:
            for i in range(1, NUSERS + 1):
                f.write("user%d:%s::::::\n" % (i, verifier))
        with open(self.dir + "/dovecot.conf", "w") as f:
            f.write(self.config())
        self.start()

    def config(self):
        d = self.dir
        me = pwd.getpwuid(os.geteuid()).pw_name
        tuned = self.mode == "tuned"
        login = "  service_count = 0\n  process_min_avail = 2\n" if tuned else ""
        pool = "  service_count = 1000\n" if tuned else ""
        c = """# Dovecot for compare.py: %s, %s
base_dir = %s/run
state_dir = %s/run
log_path = %s/log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_max_userip_connections = %d
mail_location = %s
mail_fsync = optimized
first_valid_uid = 1
auth_mechanisms = plain login
default_process_limit = 4096
default_client_limit = 20000
default_vsz_limit = 1G
passdb {
  driver = passwd-file
  args = username_format=%%u %s/users
}
userdb {
  driver = static
  args = uid=%s gid=%s home=%s/mail/%%u
}
namespace inbox {
  inbox = yes
  separator = /
}
""" % (self.fmt, self.mode, d, d, d, self.limit, self.LOCATION[self.fmt], d,
            "mail" if self.root else os.geteuid(), "mail" if self.root else os.getegid(), d)
        if not self.root:
            c += "default_internal_user = %s\ndefault_login_user = %s\n" % (me, me)
            c += "default_internal_group = %s\n" % __import__("grp").getgrgid(os.getegid()).gr_name
            c += "service anvil {\n  chroot =\n}\n"
        nochroot = "" if self.root else "  chroot =\n"
        c += "service imap-login {\n  inet_listener imap {\n    port = %d\n  }\n  inet_listener imaps {\n    port = 0\n  }\n%s%s}\n" % (self.port[0], login, nochroot)
        c += "service pop3-login {\n  inet_listener pop3 {\n    port = %d\n  }\n  inet_listener pop3s {\n    port = 0\n  }\n%s%s}\n" % (self.port[1], login, nochroot)
        c += "service lmtp {\n  inet_listener lmtp {\n    port = %d\n  }\n%s}\n" % (self.port[2], "" if self.root else "  user = %s\n" % me)
        c += "service imap {\n%s" % pool
        if self.hibernate:
            c += "  unix_listener imap-master {\n    user = $default_internal_user\n  }\n  extra_groups = $default_internal_group\n"
        c += "}\nservice pop3 {\n%s}\n" % pool
        if self.hibernate:
            c += "service imap-hibernate {\n  unix_listener imap-hibernate {\n    mode = 0660\n    group = $default_internal_group\n  }\n}\n"
            c += "imap_hibernate_timeout = %ds\n" % self.hibernate
        return c + self.extra

    def start(self):
        env = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TZ")}
        self.proc = subprocess.Popen(["dovecot", "-F", "-c", self.dir + "/dovecot.conf"], env=env, start_new_session=True,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pids = str(self.proc.pid)
        if not wait_port(self.port[0]):
            e = ""
            if self.proc.poll() is not None:
                e = self.proc.stderr.read().decode(errors="replace")
            log = self.dir + "/log"
            if os.path.exists(log):
                e += open(log).read()[-2000:]
            raise SystemExit("dovecot did not start: " + e)

    def halt(self):
        p, self.proc = self.proc, None
        if not p:
            return
        if p.poll() is None:
            p.send_signal(signal.SIGTERM)
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                pass
        for sig in (signal.SIGTERM, signal.SIGKILL):     # its own session: nobody else is in there
            try:
                os.killpg(p.pid, sig)
                time.sleep(0.2)
            except (ProcessLookupError, PermissionError):
                break
        if p.poll() is None:
            p.wait(5)
        p.stderr.close()

    def restart(self):
        self.halt()
        self.start()

    def destroy(self):
        try:
            self.halt()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    stop = destroy


# name, mailload workload, arguments, what the server must offer, what counts: rate or something else
def workloads(o, chosen=False):
    if chosen:
        only = o.only.split(",") if o.only else None
        return [w for w in workloads(o) if (not only or w[0] in only) and w[0] not in o.skip.split(",")]
    N, B, S = o.messages, o.big, o.small
    mixed = ["--first-user=1", "--messages=%d" % N]
    big = ["--first-user=2", "--messages=%d" % B, "--size=small"]
    small = ["--first-user=3", "--messages=%d" % S, "--size=small"]
    C = o.conns
    many = ["--first-user=10", "--users=%d" % C, "--conns=%d" % C]
    fresh = ["--mailbox=bench", "--fresh"]
    return [
        ("noop", "noop", mixed, "imap"),
        ("login", "login", ["--first-user=10"], "imap"),
        ("login-c%d" % C, "login", many, "imap"),
        ("append", "append", ["--first-user=7"] + fresh, "imap"),
        ("append-4k", "append", ["--first-user=7", "--size=4096"] + fresh, "imap"),
        ("append-4k-c%d" % C, "append", many + ["--size=4096"] + fresh, "imap"),
        ("lmtp", "lmtp", ["--first-user=8", "--fresh"], "lmtp"),
        ("lmtp-c%d" % C, "lmtp", many + ["--fresh"], "lmtp"),
        ("select", "select", mixed, "imap"),
        ("select-big", "select", big, "imap"),
        ("status-big", "status", big, "imap"),
        ("fetch-flags-big", "fetch-flags", big, "imap"),
        ("fetch-headers-first", "fetch-headers", ["--first-user=9", "--messages=%d" % S, "--count=1", "--mailbox=first"], "imap"),
        ("fetch-headers", "fetch-headers", mixed, "imap"),
        ("fetch-full", "fetch-full", mixed, "imap"),
        ("fetch-random", "fetch-random", mixed, "imap"),
        ("fetch-random-c%d" % C, "fetch-random", mixed + ["--conns=%d" % C], "imap"),
        ("pop3-fetch", "pop3-fetch", mixed, "pop3"),
        ("search-text", "search-text", mixed, "imap"),
        ("search-header", "search-header", mixed, "imap"),
        ("store-flags", "store-flags", small, "imap"),
        ("expunge", "expunge", ["--first-user=4", "--mailbox=bench", "--size=small", "--messages=%d" % S, "--batch=%d" % max(1, S // 10)], "imap"),
        ("copy", "copy", small, "imap"),
        ("idle", "idle", ["--first-user=40", "--users=%d" % o.idle_users, "--conns=%d" % o.idle_conns, "--count=10", "--settle=%g" % o.settle], "imap"),
        ("refuse", "refuse", ["--first-user=5", "--max-conns=200"], "imap"),
    ]


def mailload(o, server, wl, extra, timeout=300):
    cmd = [o.mailload, wl] + server.args() + extra
    if not any(x.startswith("--count=") or x.startswith("--seconds=") for x in extra) and wl not in ("fill", "purge"):
        cmd.append("--seconds=%g" % o.seconds)
    cmd.append("--seed=%d" % o.seed)
    try:
        p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"failed": "did not end within %d s" % timeout}
    r = {}
    for line in p.stdout.decode(errors="replace").splitlines():
        if line.startswith("workload="):
            for kv in line.split():
                k, _, v = kv.partition("=")
                try:
                    r[k] = float(v) if "." in v else int(v)
                except ValueError:
                    r[k] = v
    if p.returncode or not r:
        e = p.stderr.decode(errors="replace").strip().splitlines()
        r["failed"] = e[0] if e else "exit status %d" % p.returncode
    return r


def fill(o, s, say):
    wanted = {a for _, _, args, _ in workloads(o, chosen=True) for a in args}
    for user, n, size in ((1, o.messages, "mix"), (2, o.big, "small"), (3, o.small, "small")):
        if "--first-user=%d" % user not in wanted:
            continue
        r = mailload(o, s, "fill", ["--first-user=%d" % user, "--messages=%d" % n, "--size=" + size, "--fresh", "--verify"], 1800)
        if "failed" in r:
            raise SystemExit("%s: fill: %s" % (s.name, r["failed"]))
        say("filled %-8s user%d with %d messages (%s), %.0f per s" % (s.name, user, n, size, r["ops_per_s"]))
    for user, users in ((40, o.idle_users), (5, 2)):
        mailload(o, s, "purge", ["--first-user=%d" % user, "--users=%d" % users])


def run_one(o, s, name, wl, args, need, limited, verify):
    if not getattr(s, need):
        return None
    t = s.of_limits() if wl == "refuse" and isinstance(s, Other) else s
    a = list(args)
    if wl == "refuse" and isinstance(s, Dovecot):
        if s.name not in limited:
            limited[s.name] = Dovecot(s.name + "-limited", s.fmt, s.mode, limit=o.limit, base=o.work_dir)
        t = limited[s.name]
    if name == "fetch-headers-first":       # nothing asked for yet: no cache of the server's can help
        r = mailload(o, t, "fill", ["--first-user=9", "--messages=%d" % o.small, "--mailbox=first", "--fresh"], 600)
        if "failed" in r:
            return r
    if wl == "idle":
        if verify:
            return {}
        t.restart()
    if verify:
        a.append("--verify")
        if not any(x.startswith("--count=") for x in a) and wl not in ("refuse", "expunge"):
            a.append("--seconds=0.3")
        elif wl == "refuse":
            a.append("--seconds=0.3")
    if wl == "expunge":
        a.append("--count=%d" % 9)
    return mailload(o, t, wl, a)


def med(v):
    v = [x for x in v if isinstance(x, (int, float))]
    return statistics.median(v) if v else None


def num(x):
    if x is None:
        return "-"
    if x >= 1000:
        return "{:,.0f}".format(x)
    return "%.3g" % x


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--self", action="store_true", dest="alone", help="Dovecot alone")
    ap.add_argument("--other", help="the other server, see above; or dovecot:FORMAT[:MODE]")
    ap.add_argument("--format", default="sdbox", choices=sorted(Dovecot.LOCATION))
    ap.add_argument("--mode", default="tuned", choices=("tuned", "default"),
                    help="tuned: login processes serve many, imap processes are reused (Dovecot's high-performance mode)")
    ap.add_argument("--hibernate", type=int, default=0, metavar="S", help="imap_hibernate_timeout of the Dovecot in seconds")
    ap.add_argument("--scheme", default="PLAIN", help="how the Dovecot keeps its passwords (doveadm pw -l); with its auth cache on"
                    " if it is not PLAIN")
    ap.add_argument("--extra", default="", help="further dovecot.conf text (\\n for newlines)")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=float, default=2.0, help="per workload, round and server")
    ap.add_argument("--messages", type=int, default=1000, help="mixed-size messages (about 53 KB on average)")
    ap.add_argument("--big", type=int, default=10000, help="small messages in the big mailbox")
    ap.add_argument("--small", type=int, default=1000, help="messages in the scratch mailboxes")
    ap.add_argument("--conns", type=int, default=8)
    ap.add_argument("--idle-conns", type=int, default=100)
    ap.add_argument("--idle-users", type=int, default=10)
    ap.add_argument("--settle", type=float, default=2.0)
    ap.add_argument("--limit", type=int, default=32, help="mail_max_userip_connections for refuse")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--cpu", type=int, metavar="N", help="put the load generator and both servers on this one CPU: no parallelism, no"
                    " wake-ups across CPUs, so much steadier figures for the short commands (the other server needs pids=)")
    ap.add_argument("--only", help="comma list of workloads")
    ap.add_argument("--skip", default="", help="comma list of workloads")
    ap.add_argument("--json", metavar="FILE")
    ap.add_argument("--mailload", default=os.path.join(BUILD, "tests/bench/mailload"), help="the load generator")
    ap.add_argument("--work-dir", help="where the Dovecot's directory is made (its disk is what append measures)")
    ap.add_argument("--list", action="store_true", help="list the workloads")
    o = ap.parse_args()
    if o.list:
        print("\n".join("%-20s %s %s" % (n, w, " ".join(a)) for n, w, a, _ in workloads(o)))
        return 0
    if bool(o.other) == o.alone:
        ap.error("one of --self and --other is needed")
    if o.idle_users > 20 and o.other and not o.other.startswith("dovecot:"):
        print("note: the other server needs users up to %s" % (39 + o.idle_users), file=sys.stderr)
    if o.conns > 30 or 39 + o.idle_users > NUSERS:
        ap.error("too many users")
    for s in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda *_: sys.exit(130))

    def say(t):
        print("# " + t, file=sys.stderr, flush=True)

    if not shutil.which("dovecot"):
        raise SystemExit("dovecot is not installed: apt-get install dovecot-imapd dovecot-pop3d dovecot-lmtpd")
    extra = o.extra.replace("\\n", "\n") + "\n" if o.extra else ""
    wls = workloads(o)
    names = [w[0] for w in wls]
    only = o.only.split(",") if o.only else names
    skip = o.skip.split(",") if o.skip else []
    for x in only + skip:
        if x not in names:
            ap.error("no workload %s; there are %s" % (x, " ".join(names)))
    wls = workloads(o, chosen=True)

    try:
        inst = int(open("/proc/sys/fs/inotify/max_user_instances").read())
    except (OSError, ValueError):
        inst = 0
    if 0 < inst < o.idle_conns + 20 and "idle" in [w[0] for w in wls]:
        say("fs.inotify.max_user_instances is %d: a Dovecot with more IDLE connections than that notices new mail"
            " only every 30 s, so notifications will be missed; memory is still measured" % inst)
    everything = os.sched_getaffinity(0)
    if o.cpu is not None:
        os.sched_setaffinity(0, {o.cpu})         # mailload and the Dovecots inherit it
    limited = {}
    servers = [Dovecot("dovecot", o.format, o.mode, hibernate=o.hibernate, extra=extra, base=o.work_dir,
                       scheme=o.scheme)]
    if o.other and o.other.startswith("dovecot:"):
        f = (o.other + ":" + o.mode).split(":")
        servers.append(Dovecot("other", f[1], f[2], hibernate=o.hibernate, extra=extra, base=o.work_dir))
    elif o.other:
        servers.append(Other(o.other))
        if o.cpu is not None:
            if not servers[1].pids:
                raise SystemExit("--cpu needs pids= in --other")
            for pids in filter(None, (servers[1].pids, servers[1].limited_pids)):
                pin(pids, {o.cpu})
                atexit.register(pin, pids, everything)
    meta = {
        "dovecot": subprocess.run(["dovecot", "--version"], stdout=subprocess.PIPE).stdout.decode().strip(),
        "format": o.format, "mode": o.mode, "hibernate_s": o.hibernate, "rounds": o.rounds, "seconds": o.seconds, "messages": o.messages, "big": o.big,
        "small": o.small, "seed": o.seed, "conns": o.conns, "idle_conns": o.idle_conns, "idle_users": o.idle_users, "cpu": o.cpu,
        "kernel": platform.release(), "cpus": os.cpu_count(), "loadavg_start": os.getloadavg(),
        "config": servers[0].config().replace(servers[0].dir, "DIR"),
    }
    dummy = Server()
    meta["machine"] = {w: {k: v for k, v in mailload(o, dummy, w, ["--seconds=1", "--dir=" + servers[0].dir]).items() if k in ("ops_per_s", "bytes", "seconds", "p50_us", "p99_us")}
                       for w in ("phys-fsync", "phys-loop", "phys-rtt", "phys-rtt-cross", "phys-connect")}
    m = meta["machine"]
    say("this machine: %s fdatasync/s (4 KB appends), loopback %.2f GB/s, round trip %.1f us (across CPUs %.1f), %s connects/s" % (
        num(m["phys-fsync"]["ops_per_s"]), m["phys-loop"]["bytes"] / m["phys-loop"]["seconds"] / 1e9, m["phys-rtt"]["p50_us"], m["phys-rtt-cross"]["p50_us"], num(m["phys-connect"]["ops_per_s"])))
    for s in servers:
        fill(o, s, say)

    res = {}
    for name, wl, args, need in wls:
        res[name] = {s.name: {"runs": []} for s in servers}
        for s in servers:
            r = run_one(o, s, name, wl, args, need, limited, True)
            if r is None:
                res[name][s.name]["skipped"] = "no " + need
            elif "failed" in r:
                res[name][s.name]["failed"] = r["failed"]
        rounds = min(o.rounds, 3) if wl == "idle" else o.rounds
        for i in range(rounds):
            for s in (servers if i % 2 == 0 else servers[::-1]):
                e = res[name][s.name]
                if "skipped" in e or "failed" in e:
                    continue
                r = run_one(o, s, name, wl, args, need, limited, False)
                if wl == "idle" and "bytes_per_conn" in r and "failed" in r:
                    e.setdefault("notes", []).append(r.pop("failed"))
                if "failed" in r:
                    e["failed"] = r["failed"]
                else:
                    e["runs"].append(r)
        for s in servers:
            e = res[name][s.name]
            for k in ("ops_per_s", "p50_us", "p99_us", "bytes_per_conn", "bytes_per_conn_open", "procs_settled",
                      "append_ok_p50_us", "limit", "open_p50_us", "other_user_us", "reopen_us", "idle_cpu_s"):
                v = [r.get(k) for r in e["runs"] if r.get(k) is not None]
                if v:
                    e[k] = med(v)
            n = sum(r.get("ops", 0) for r in e["runs"])
            for k in ("server_cpu", "client_cpu"):       # clock ticks are coarse: add the runs up
                if n and wl != "idle" and any(k + "_s" in r for r in e["runs"]):
                    e[k + "_us_per_op"] = round(sum(r.get(k + "_s", 0) for r in e["runs"]) * 1e6 / n, 3)
            v = [r["bytes"] / r["seconds"] / 1e6 for r in e["runs"] if r.get("seconds")]
            if v:
                e["MB_per_s"] = round(med(v), 2)
            v = [r["ops_per_s"] for r in e["runs"]]
            if v and min(v) > 0:
                e["spread"] = round(max(v) / min(v), 2)
        say("%-20s %s" % (name, "  ".join("%s %s" % (s.name, res[name][s.name].get("failed") or res[name][s.name].get("skipped") or
            (num(res[name][s.name].get("ops_per_s")) + "/s p50 %s us" % num(res[name][s.name].get("p50_us")))) for s in servers)))

    two = len(servers) == 2
    a = servers[0].name
    b = servers[1].name if two else None

    def row(label, ka, kb, better, ca=None, cb=None, extra=""):
        ratio = "-" if ka in (None, 0) or kb is None else "%.2f" % (kb / ka)
        cells = [label, num(ka)] + ([num(kb), ratio] if two else []) + [num(ca)] + ([num(cb)] if two else []) + [extra]
        out.append(cells)

    out = []
    for name, wl, args, need in wls:
        A, Bq = res[name][a], res[name].get(b, {}) if two else {}
        bad = "; ".join("%s %s" % (n, e.get("failed") or e.get("skipped") or e["notes"][0]) for n, e in res[name].items()
                        if "failed" in e or "skipped" in e or "notes" in e)
        if wl == "idle":
            row("idle: EXISTS p50 us (less is better)", A.get("p50_us"), Bq.get("p50_us"), "less", None, None, bad)
            row("idle: APPEND OK p50 us (less is better)", A.get("append_ok_p50_us"), Bq.get("append_ok_p50_us"), "less")
            row("idle: PSS bytes per connection (less)", A.get("bytes_per_conn"), Bq.get("bytes_per_conn"), "less")
            row("idle: open one, p50 us (less)", A.get("open_p50_us"), Bq.get("open_p50_us"), "less")
            continue
        if wl == "refuse":
            bad = (bad + " limits: " + " ".join(str(e.get("limit", "?")) for e in (A, Bq) if e)).strip()
        sp = " ".join("%.1f" % e["spread"] for e in (A, Bq) if "spread" in e)
        mb = ""
        if wl in ("fetch-full", "fetch-random", "pop3-fetch", "append", "lmtp"):
            mb = "MB/s: " + " ".join("%.0f" % e["MB_per_s"] for e in (A, Bq) if "MB_per_s" in e)
        row(name, A.get("ops_per_s"), Bq.get("ops_per_s"), "more", A.get("server_cpu_us_per_op"), Bq.get("server_cpu_us_per_op"),
            " ".join(x for x in ("p99 us: " + " ".join(num(e.get("p99_us")) for e in (A, Bq) if e), mb, "spread " + sp if sp else "", bad) if x))
        if two and "ops_per_s" in A and "ops_per_s" in Bq and A["ops_per_s"]:
            res[name]["ratio"] = round(Bq["ops_per_s"] / A["ops_per_s"], 4)
        if two and A.get("server_cpu_us_per_op") and Bq.get("server_cpu_us_per_op"):
            res[name]["cpu_ratio"] = round(Bq["server_cpu_us_per_op"] / A["server_cpu_us_per_op"], 4)
    head = ["workload", f"{a} ops/s (median)"] + ([f"{b} ops/s", f"ratio {b}/{a}"] if two else []) + \
           [f"{a} CPU us/op"] + ([f"{b} CPU us/op"] if two else []) + ["notes"]
    width = [max(len(str(r[i])) for r in out + [head]) for i in range(len(head))]
    for n, r in enumerate([head] + out):
        print("| " + " | ".join(str(c).ljust(width[i]) if i in (0, len(head) - 1) else str(c).rjust(width[i]) for i, c in enumerate(r)) + " |")
        if n == 0:
            print("|" + "|".join("-" * (w + 1) + ("-" if i in (0, len(head) - 1) else ":") for i, w in enumerate(width)) + "|")
    meta["loadavg_end"] = os.getloadavg()
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"meta": meta, "workloads": res}, f, indent=1)
            f.write("\n")
    failed = [n for n in res for e in res[n].values() if isinstance(e, dict) and "failed" in e]
    for s in list(limited.values()) + servers:
        s.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
