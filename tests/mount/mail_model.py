"""What a mailbox must look like after each step, and the doors through which steps are taken.

A step is one operation through one door: it is done, and the model is told.  Then every door is asked, and must
agree with the model exactly.  A message's UID and its usual name are the store's to give: they are learned where the
message is first seen, must be such as the store may give, and must be the same through every door from then on.
"""
import contextlib
import errno
import os
import random
import re

from harness.site import PASSWORD
from harness.story import until

USUAL = re.compile(r"\d{8}-\d{6}\.(\d{8,})\.sender\.(t\d+)\.eml")
FETCHED = re.compile(r"\* \d+ FETCH \(FLAGS \(([^)]*)\) UID (\d+) BODY\[\] \{\d+\}\r\n(.*)\)$", re.S)
WORDS = ("seen", "flagged", "answered", "draft", "$Label", "$Work")


class Wrong(AssertionError):
    pass


def hold(truth, sentence):
    if not truth:
        raise Wrong(sentence)


class Message:
    def __init__(self, token, came, name=None, flags=()):
        """came: the octets as they came in, CRLF over IMAP."""
        self.token, self.came, self.name, self.flags = token, came, name, frozenset(flags)
        self.is_named = name is not None    # given through a mount, so that it goes along
        self.is_usual = False               # the name it was given first is the usual one of a message of its folder
        self.uid = None

    @property
    def wire(self):
        """As IMAP serves it."""
        return re.sub(rb"\r?\n", b"\r\n", self.came)

    @property
    def served(self):
        """As a mount does: mail with CRLF has LF there, until it is given a name."""
        return self.came.replace(b"\r\n", b"\n") if self.came == self.wire and not self.is_named else self.came

    def moved(self):
        """The same in another folder, under a UID that is not known yet."""
        return Message(self.token, self.came, self.name if self.is_named else None, self.flags)

    def named(self, name):
        return Message(self.token, self.came, name, self.flags)


class Folder:
    def __init__(self):
        self.messages, self.highest = [], 0

    def by_name(self, name):
        return next((m for m in self.messages if m.name == name), None)

    def take_in(self, message):
        """A given name that another message has stays behind."""
        if message.is_named and self.by_name(message.name):
            message.name, message.is_named = None, False
        self.messages.append(message)


class Model:
    def __init__(self, folders):
        self.folders = {name: Folder() for name in folders}
        self.tokens_n = 0

    def children(self, path):
        above = path + "/" if path else ""
        return [f[len(above):] for f in self.folders if f.startswith(above) and "/" not in f[len(above):] and f != path]

    def names(self, path):
        messages = self.folders[path].messages if path else []
        return sorted([m.name for m in messages] + self.children(path))

    def remove(self, path, message):
        """As unlink does: into Trash, and from there for good."""
        self.folders[path].messages.remove(message)
        if path.split("/")[0] != "Trash":
            self.folders["Trash"].take_in(message.moved())

    def rename_folder(self, old, new):
        for path in [f for f in self.folders if f == old or f.startswith(old + "/")]:
            self.folders[new + path[len(old):]] = self.folders.pop(path)

    def learn(self, path, names, uid_of):
        """names: a listing; those that nobody knows must be the usual ones of messages that have none yet.  Of two
        copies of one message the one that came first has the lower UID, whatever their dates, which stand in front."""
        folder = self.folders[path]
        known = {m.name for m in folder.messages} | set(self.children(path))
        strange = {name: USUAL.fullmatch(name) for name in set(names) - known}
        for name in sorted(strange):
            hold(strange[name], f"{path} has {name}, which is nobody's")
        for name, usual in sorted(strange.items(), key=lambda item: int(item[1][1])):
            found = next((m for m in folder.messages if m.name is None and m.token == usual[2]), None)
            hold(found, f"{path} has {name}, which is nobody's")
            found.name = name
        for m in folder.messages:
            hold(m.name in names, f"{path} lacks {m.name} ({m.token})")
            if m.uid is None:
                m.uid = uid_of(m.name)
                hold(m.uid > folder.highest, f"{path}/{m.name} has UID {m.uid}, and {folder.highest} was given before")
                folder.highest = m.uid
                usual = USUAL.fullmatch(m.name)
                if m.is_usual and usual and int(usual[1]) == m.uid:
                    m.is_named = False  # it is called so anyway
                hold(m.is_named or int(usual[1]) == m.uid, f"{path}/{m.name} has UID {m.uid}")


class Mount:
    def __init__(self, path):
        self.path = path

    def at(self, *parts):
        return os.path.join(self.path, *(p for p in parts if p))

    def list(self, folder):
        """Where another door renamed a folder the kernel has to move what it holds of it, and while it is busy there
        otherwise it says ESTALE (d_splice_alias): that passes."""
        def listed():
            try:
                return [sorted(os.listdir(self.at(folder)))]
            except OSError as e:
                hold(e.errno == errno.ESTALE, e)
                return None
        return until(listed)[0]

    def uid(self, folder, name):
        return int(os.getxattr(self.at(folder, name), "user.uid"))

    def flags(self, folder, name):
        return frozenset(os.getxattr(self.at(folder, name), "user.flags").decode().split())

    def read(self, folder, name):
        with open(self.at(folder, name), "rb") as f:
            return f.read()

    def has(self, *parts):
        return os.path.lexists(self.at(*parts))

    def write(self, folder, name, octets, flags=()):
        """Returns when close(2) has said that it is kept."""
        fd = os.open(self.at(folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            while octets:
                octets = octets[os.write(fd, octets):]
            if flags:
                os.setxattr(fd, "user.flags", " ".join(flags).encode())
        finally:
            os.close(fd)

    def settle(self, folder):
        """A listing waits for what was closed in this mount before it: then it is a message for other doors too."""
        self.list(folder)

    def agrees(self, model, path):
        """The next listing is exact; and so is what the names of messages that nobody knew say."""
        names = self.list(path)
        if path:
            model.learn(path, names, lambda name: self.uid(path, name))
        hold(names == model.names(path), f"{self.at(path)} lists\n  {names}\nand there is\n  {model.names(path)}")

    def message_agrees(self, path, message):
        """Contents are exact at the open; attributes of a name that the kernel holds come with the notice."""
        where = self.at(path, message.name)
        hold((read := self.read(path, message.name)) == message.served, f"{where} is {read[:100]!r} ({len(read)}), "
             f"not {message.served[:100]!r} ({len(message.served)})")
        hold(until(lambda: os.stat(where).st_size == len(message.served)), f"{where} has a wrong size")
        hold(until(lambda: self.flags(path, message.name) == message.flags),
             f"{where} has {sorted(self.flags(path, message.name))}, and was given {sorted(message.flags)}")
        hold(self.uid(path, message.name) == message.uid, f"{where} has another UID than {message.uid}")

    def lost(self, path):
        return until(lambda: not self.has(path))


def imap_flags(flags):
    return " ".join(f if f.startswith("$") else "\\" + f.capitalize() for f in sorted(flags))


class Imap:
    def __init__(self, site):
        self.wire = site.wire("imap")
        self.wire.read_line()
        self.ask(f"LOGIN alice {PASSWORD}")
        self.selected = None

    def ask(self, command, wants="OK"):
        lines = self.wire.imap("a " + command)
        hold(lines[-1].startswith(f"a {wants} "), f"{command[:200]}: {lines[-1]}")
        return lines

    def select(self, path):
        self.ask(f'SELECT "{path}"')

    def append(self, path, message):
        octets = message.wire
        head = f'a APPEND "{path}" ({imap_flags(message.flags)}) {{{len(octets)}+}}\r\n'
        self.wire.send(head.encode() + octets + b"\r\n")
        while not (line := self.wire.read_response()).startswith(b"a "):
            pass
        hold(line.startswith(b"a OK "), line)

    def contents(self, path):
        """{uid: (flags, octets)}"""
        self.ask(f'EXAMINE "{path}"')
        found = {}
        for line in self.ask("UID FETCH 1:* (UID FLAGS BODY.PEEK[])"):
            if told := FETCHED.match(line):
                flags = {f.lower().lstrip("\\") if f.startswith("\\") else f for f in told[1].split()}
                found[int(told[2])] = (frozenset(flags - {"recent"}), told[3].encode("latin-1"))
        return found

    def agrees(self, model, path):
        there = self.contents(path)
        wanted = {m.uid: (m.flags, m.wire) for m in model.folders[path].messages}
        hold(sorted(there) == sorted(wanted), f"IMAP: {path} has {sorted(there)}, and there are {sorted(wanted)}")
        for uid, (flags, octets) in wanted.items():
            hold(there[uid][0] == flags, f"IMAP: {path} UID {uid} has {sorted(there[uid][0])}, not {sorted(flags)}")
            hold(there[uid][1] == octets, f"IMAP: {path} UID {uid} is not what was put there")


@contextlib.contextmanager
def refused(*errnos):
    try:
        yield
    except OSError as e:
        hold(e.errno in errnos, f"{e}, not {'/'.join(errno.errorcode[n] for n in errnos)}")
    else:
        raise Wrong(f"was not refused with {'/'.join(errno.errorcode[n] for n in errnos)}")


class Steps:
    """One random step after the other.  Each says first what it is about to do (`said`), and then does it; what the
    doors are to be asked about afterwards is in `touched` (folders), `fresh` (folder, message) and `lost` (paths)."""

    FULL = 25       # messages in a folder, from which on they rather go than come

    def __init__(self, model, mounts, imap, seed):
        self.model, self.mounts, self.imap, self.random = model, mounts, imap, random.Random(seed)
        self.said, self.n = [], 0

    # --- what there is to choose from ---

    def message(self, name=None, flags=()):
        self.model.tokens_n += 1
        token = f"t{self.model.tokens_n}"
        text = f"From: sender@example.org\nSubject: {token}\n\n"
        text += "".join(f"line {i} of {token}\n" for i in range(int(self.random.expovariate(0.02))))
        came = text.encode()
        if not name or self.random.random() < 0.2:
            came = came.replace(b"\n", b"\r\n")
        elif self.random.random() < 0.1:
            came = came.replace(b"\n", b"\r\n", 2)
        elif self.random.random() < 0.03:
            came += self.random.randbytes(200000).replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b"")
        return Message(token, came, name, flags)

    def flags(self):
        return frozenset(self.random.sample(WORDS, self.random.randrange(3)))

    def folder(self):
        return self.random.choice(sorted(self.model.folders))

    def made(self):
        """A folder that may be renamed and deleted, or None."""
        mine = [f for f in sorted(self.model.folders) if f.split("/")[-1].startswith("f")]
        return self.random.choice(mine) if mine else None

    def folder_name(self):
        above = self.random.choice(["", "", *(f for f in sorted(self.model.folders) if f.count("/") < 2)])
        name = f"f{self.random.randrange(6)}"
        return f"{above}/{name}" if above else name

    def some(self, most=1):
        """(folder, messages), or (None, [])."""
        full = [f for f in sorted(self.model.folders) if self.model.folders[f].messages]
        if not full:
            return None, []
        path = self.random.choice(full)
        messages = self.model.folders[path].messages
        return path, self.random.sample(messages, min(len(messages), self.random.randint(1, most)))

    def file_name(self, folder):
        """A name that no message of it has."""
        while True:
            name = f"{self.random.choice(('n', 'Brief ü', 'two words', '-x'))} {self.random.randrange(100)}.eml"
            if not self.model.folders[folder].by_name(name):
                return name

    def begin(self, what, *old):
        """old: messages that may be elsewhere, called otherwise, flagged otherwise or gone when it is done."""
        self.n += 1
        self.said = self.said[-30:] + [f"{self.n}: {what}"]
        self.old = old

    # --- through a mount ---

    def do_write(self, mount):
        path = self.folder()
        if len(self.model.folders[path].messages) > self.FULL:
            return self.do_unlink(mount)
        flags = self.flags() if self.random.random() < 0.2 else ()
        message = self.message(self.file_name(path), flags)
        self.begin(f"{mount.path}: write {path}/{message.name} ({message.token}, {len(message.came)})")
        self.new = message
        mount.write(path, message.name, message.came, message.flags)
        self.come(path, message)
        mount.settle(path)

    def do_copy(self, mount):
        source, messages = self.some()
        if not messages:
            return
        path = self.folder()
        message, name = messages[0], self.file_name(path)
        self.begin(f"{mount.path}: cp {source}/{message.name} {path}/{name}")
        mount.write(path, name, mount.read(source, message.name))
        self.come(path, Message(message.token, message.served, name))
        mount.settle(path)

    def do_name(self, mount):
        path, messages = self.some()
        if not messages:
            return
        name = self.file_name(path)
        self.begin(f"{mount.path}: mv {path}/{messages[0].name} {name}", messages[0])
        os.rename(mount.at(path, messages[0].name), mount.at(path, name))
        self.lost.append(f"{path}/{messages[0].name}")
        messages[0].name, messages[0].is_named = name, True
        self.touch(path, messages[0])

    def do_move(self, mount):
        source, messages = self.some()
        path = self.folder()
        if not messages or path == source:
            return
        message = messages[0]
        name = message.name if self.random.random() < 0.5 else self.file_name(path)
        self.begin(f"{mount.path}: mv {source}/{message.name} {path}/{name}", message,
                   *(m for m in self.model.folders[path].messages if m.name == name))
        os.rename(mount.at(source, message.name), mount.at(path, name))
        self.take_place(path, name)
        self.go(source, message)
        self.come(path, message.named(name))
        self.fresh[-1][1].is_usual = name == message.name and not message.is_named

    def do_replace(self, mount):
        """As editors and rsync do: written aside, and put in the place of another."""
        path, messages = self.some()
        if not messages:
            return
        name, aside = messages[0].name, f".{self.random.randrange(1 << 32)}"
        message = self.message(name)
        self.begin(f"{mount.path}: replace {path}/{name} ({message.token})", messages[0])
        self.new = message
        mount.write(path, aside, message.came)
        os.rename(mount.at(path, aside), mount.at(path, name))
        self.take_place(path, name)
        self.come(path, message)

    def do_unlink(self, mount):
        path, messages = self.some()
        if not messages:
            return
        self.begin(f"{mount.path}: rm {path}/{messages[0].name}", messages[0])
        os.unlink(mount.at(path, messages[0].name))
        self.remove(path, messages[0])

    def do_flag(self, mount):
        path, messages = self.some()
        if not messages:
            return
        flags = self.flags()
        self.begin(f"{mount.path}: flags {sorted(flags)} to {path}/{messages[0].name}", messages[0])
        os.setxattr(mount.at(path, messages[0].name), "user.flags", " ".join(sorted(flags)).encode())
        messages[0].flags = flags
        self.touch(path, messages[0])

    def do_mkdir(self, mount):
        path = self.folder_name()
        self.begin(f"{mount.path}: mkdir {path}")
        if path in self.model.folders:
            with refused(errno.EEXIST):
                os.mkdir(mount.at(path))
        else:
            os.mkdir(mount.at(path))
            self.model.folders[path] = Folder()
        self.touch(path)

    def do_rmdir(self, mount):
        path = self.made()
        if not path:
            return
        self.begin(f"{mount.path}: rmdir {path}")
        if self.model.folders[path].messages or self.model.children(path):
            with refused(errno.ENOTEMPTY):
                os.rmdir(mount.at(path))
            self.touch(path)
        else:
            os.rmdir(mount.at(path))
            self.lose_folder(path)

    def do_rename_folder(self, mount):
        old, new = self.made(), self.folder_name()
        if not old or old == new or new.startswith(old + "/") or old.startswith(new + "/"):
            return
        self.begin(f"{mount.path}: mv {old}/ {new}/")
        over = self.model.folders.get(new)
        if over and (over.messages or self.model.children(new)):
            with refused(errno.ENOTEMPTY):
                os.rename(mount.at(old), mount.at(new))
            self.touch(old)
        else:
            os.rename(mount.at(old), mount.at(new))
            self.rename_folder(old, new)

    def do_refused(self, mount):
        """Nothing changes by it."""
        path, messages = self.some()
        if not messages:
            return
        self.begin(f"{mount.path}: write over {path}/{messages[0].name}")
        with refused(errno.EPERM):
            open(mount.at(path, messages[0].name), "wb").close()
        with refused(errno.EINVAL):
            os.rename(mount.at(path, messages[0].name), mount.at(path, "no-message"))
        self.touch(path, messages[0])

    # --- through IMAP ---

    def do_imap_append(self, imap):
        path = self.folder()
        if len(self.model.folders[path].messages) > self.FULL:
            return self.do_imap_expunge(imap)
        message = self.message(flags=self.flags())
        self.begin(f"IMAP: APPEND {path} ({message.token})")
        imap.append(path, message)
        self.come(path, message)

    def do_imap_store(self, imap):
        path, messages = self.some(4)
        if not messages:
            return
        flags = self.flags()
        self.begin(f"IMAP: STORE {path} {[m.uid for m in messages]} {sorted(flags)}")
        imap.select(path)
        imap.ask(f"UID STORE {','.join(str(m.uid) for m in messages)} FLAGS ({imap_flags(flags)})")
        for m in messages:
            m.flags = flags
            self.touch(path, m)

    def do_imap_copy(self, imap, how="COPY"):
        source, messages = self.some(4)
        path = self.folder()
        if not messages or path == source or len(self.model.folders[path].messages) > self.FULL:
            return
        messages.sort(key=lambda m: m.uid)
        self.begin(f"IMAP: {how} {source} {[m.uid for m in messages]} {path}")
        imap.select(source)
        imap.ask(f'UID {how} {",".join(str(m.uid) for m in messages)} "{path}"')
        for m in messages:
            if how == "MOVE":
                self.go(source, m)
            self.come(path, m.moved() if how == "MOVE" else Message(m.token, m.came, None, m.flags))

    def do_imap_move(self, imap):
        self.do_imap_copy(imap, "MOVE")

    def do_imap_expunge(self, imap):
        path, messages = self.some(4)
        if not messages:
            return
        uids = ",".join(str(m.uid) for m in messages)
        self.begin(f"IMAP: EXPUNGE {path} {uids}")
        imap.select(path)
        imap.ask(f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)")
        imap.ask(f"UID EXPUNGE {uids}")
        for m in messages:
            self.go(path, m)

    def do_imap_create(self, imap):
        path = self.folder_name()
        self.begin(f"IMAP: CREATE {path}")
        imap.ask(f'CREATE "{path}"', "NO" if path in self.model.folders else "OK")
        self.model.folders.setdefault(path, Folder())
        self.touch(path)

    def do_imap_delete(self, imap):
        path = self.made()
        if not path or self.model.children(path):
            return
        self.begin(f"IMAP: DELETE {path}")
        imap.ask(f'DELETE "{path}"')
        self.lose_folder(path)

    def do_imap_rename(self, imap):
        old, new = self.made(), self.folder_name()
        if not old or old == new or new.startswith(old + "/") or old.startswith(new + "/"):
            return
        self.begin(f"IMAP: RENAME {old} {new}")
        if new in self.model.folders:
            imap.ask(f'RENAME "{old}" "{new}"', "NO")
            self.touch(old)
        else:
            imap.ask(f'RENAME "{old}" "{new}"')
            self.rename_folder(old, new)

    # --- what the model is told ---

    def touch(self, path, message=None):
        self.touched |= {path, os.path.dirname(path)}
        if message:
            self.fresh.append((path, message))

    def come(self, path, message):
        self.model.folders[path].take_in(message)
        self.touch(path, message)

    def go(self, path, message):
        self.model.folders[path].messages.remove(message)
        self.lost.append(f"{path}/{message.name}")
        self.touch(path)

    def remove(self, path, message):
        self.model.remove(path, message)
        self.lost.append(f"{path}/{message.name}")
        self.touch(path)
        self.touch("Trash")

    def take_place(self, path, name):
        """Whoever had the name goes to Trash."""
        if old := self.model.folders[path].by_name(name):
            self.remove(path, old)
            self.lost.pop()

    def lose_folder(self, path):
        del self.model.folders[path]
        self.lost.append(path)
        self.touch(os.path.dirname(path))

    def rename_folder(self, old, new):
        self.model.folders.pop(new, None)
        self.model.rename_folder(old, new)
        self.lost.append(old)
        self.touch(new)
        self.touch(os.path.dirname(old))

    # --- a step ---

    BY_MOUNT = {"write": 10, "copy": 4, "name": 5, "move": 6, "replace": 4, "unlink": 8, "flag": 6, "mkdir": 3, "rmdir": 3,
                "rename_folder": 3, "refused": 1}
    BY_IMAP = {"append": 10, "store": 6, "copy": 5, "move": 5, "expunge": 5, "create": 2, "delete": 2, "rename": 3}

    def step(self):
        before = self.n
        self.touched, self.fresh, self.lost, self.new, self.old = set(), [], [], None, ()
        if self.imap and self.random.random() < 0.4:
            name, door = self.choice(self.BY_IMAP), self.imap
            getattr(self, f"do_imap_{name}")(door)
        else:
            getattr(self, f"do_{self.choice(self.BY_MOUNT)}")(self.random.choice(self.mounts))
        return self.n > before

    def choice(self, weights):
        return self.random.choices(list(weights), list(weights.values()))[0]

    def list_touched(self):
        """Learns the names of what came, so that the next step can be taken."""
        for path in self.touched:
            if path in self.model.folders:
                self.mounts[0].agrees(self.model, path)

    def look(self, everything=False):
        """Every door agrees with the model about what was touched, or about all there is."""
        folders = sorted(self.model.folders) + [""] if everything else sorted(self.touched)
        folders = [f for f in folders if f == "" or f in self.model.folders]
        messages = [(p, m) for p, m in self.fresh if p in self.model.folders and m in self.model.folders[p].messages]
        if everything:
            messages = [(p, m) for p, f in self.model.folders.items() for m in f.messages]
        for mount in self.random.sample(self.mounts, len(self.mounts)):
            for path in folders:
                mount.agrees(self.model, path)
            for path, message in messages:
                mount.message_agrees(path, message)
            for path in self.lost:
                if path not in self.model.folders and not self.is_message(path):
                    hold(mount.lost(path), f"{mount.at(path)} never went")
        for path in folders:
            if self.imap and path:
                self.imap.agrees(self.model, path)

    def is_message(self, path):
        folder, _, name = path.rpartition("/")
        return folder in self.model.folders and bool(self.model.folders[folder].by_name(name))
