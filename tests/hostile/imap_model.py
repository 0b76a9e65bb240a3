"""What a client knows after each line a server says, and what the server may therefore say next.

`Truth` is one for all connections of a storm: which message (a token in its subject) has which UID where, which
were told to be gone, which may be gone since somebody set out to remove them.  `View` is one connection's: the
folder it has selected, by sequence number.  Both raise Wrong where a response can't be true.
"""
import re

DELETED = "\\Deleted"


class Wrong(AssertionError):
    pass


def hold(truth, sentence):
    if not truth:
        raise Wrong(sentence)


def numbers(text):
    """The numbers of a set, in its order."""
    for part in text.split(","):
        low, _, high = part.partition(":")
        yield from range(int(low), int(high or low) + 1)


def as_set(uids):
    return ",".join(map(str, uids))


class Truth:
    def __init__(self):
        self.tokens = {}        # (folder, uid): token, once anybody was told
        self.born = {}          # (folder, uid) of an acknowledged APPEND, COPY, MOVE: by whom
        self.gone = {}          # (folder, uid) that somebody was told is expunged: who
        self.deleted = set()    # (folder, uid) that somebody set out to flag \\Deleted
        self.moved = set()      # (folder, uid) of an acknowledged MOVE
        self.copies = []        # (folder, uid) of the source, of the copy
        self.highest_uid = {}   # folder: the highest that anybody was told of

    def see(self, folder, uid, token=None):
        self.highest_uid[folder] = max(uid, self.highest_uid.get(folder, 0))
        if token is None:
            return
        known = self.tokens.setdefault((folder, uid), token)
        hold(known == token, f"{folder} UID {uid} was {known}, and is told to be {token}")

    def born_here(self, folder, uid, above, who, token=None):
        """above: the highest UID that was known when it was asked for."""
        hold(uid > above, f"{folder} UID {uid} is new, but {above} was given before it was asked for")
        hold((folder, uid) not in self.born, f"{folder} UID {uid} was given twice")
        self.born[folder, uid] = who
        self.see(folder, uid, token)

    def copied(self, source, copy, above, who):
        self.born_here(*copy, above, who)
        self.copies.append((source, copy))

    def may_be_gone(self):
        """What may be expunged: flagged \\Deleted, as a copy of such a message is, or moved."""
        for source, copy in self.copies:
            if source in self.deleted:
                self.deleted.add(copy)
        return self.deleted | self.moved

    def settle(self, contents):
        """At quiet: contents is {folder: {uid: token}}, all that is there."""
        there = {(folder, uid): token for folder, tokens in contents.items() for uid, token in tokens.items()}
        may_be_gone = self.may_be_gone()
        for at, token in there.items():
            self.see(*at, token)
            hold(at in self.born, f"{at} ({token}) is there, and nobody put it there")
            hold(at not in self.gone, f"{at} ({token}) is there, and {self.gone.get(at)} was told that it is gone")
            hold(at not in self.moved, f"{at} ({token}) is there, and was moved away")
        for at, who in self.born.items():
            hold(at in there or at in may_be_gone, f"{at} ({self.tokens.get(at)}) by {who} was acknowledged and is lost; "
                 f"told to be gone: {self.gone.get(at)}")
        for source, copy in self.copies:
            known = self.tokens.get(source), self.tokens.get(copy)
            hold(None in known or known[0] == known[1], f"{copy} is said to be a copy of {source}: {known}")


class View:
    def __init__(self, truth, folder, who):
        self.truth, self.folder, self.who = truth, folder, who
        self.uids = []          # by sequence number - 1; None until told
        self.grown = []         # by how many, with each EXISTS
        self.flags = {}         # uid: the flags this client was told last
        self.modseqs = {}       # uid: the highest this client was told
        self.highest_modseq = 0

    def exists(self, n):
        hold(n >= len(self.uids), f"EXISTS {n} without EXPUNGE, {len(self.uids)} are known")
        self.grown.append(n - len(self.uids))
        self.uids += [None] * self.grown[-1]

    def forget(self, at):
        uid = self.uids.pop(at)
        if uid is not None:
            self.flags.pop(uid, None)
            self.truth.gone.setdefault((self.folder, uid), self.who)

    def expunge(self, seq):
        hold(1 <= seq <= len(self.uids), f"EXPUNGE {seq} of {len(self.uids)}")
        self.forget(seq - 1)

    def vanished(self, uids, earlier):
        """RFC 7162 3.2.10: with EARLIER it may name UIDs this client never knew, else each is one that EXISTS counted."""
        for uid in uids:
            if uid in self.uids:
                self.forget(self.uids.index(uid))
            elif not earlier:
                self.forget_unknown(uid)

    def forget_unknown(self, uid):
        """One that was counted and not yet fetched: any of those that stand where this UID would."""
        above = next((at for at, known in enumerate(self.uids) if known is not None and known > uid), len(self.uids))
        hold(above > 0 and self.uids[above - 1] is None, f"VANISHED {uid}, which was never told to exist")
        self.uids.pop(above - 1)
        self.truth.gone.setdefault((self.folder, uid), self.who)

    def neighbours_agree(self, seq, uid):
        before = next((u for u in reversed(self.uids[:seq - 1]) if u is not None), 0)
        after = next((u for u in self.uids[seq:] if u is not None), None)
        hold(before < uid and (after is None or uid < after), f"message {seq} has UID {uid} between {before} and {after}")

    def learn(self, seq, uid):
        hold(1 <= seq <= len(self.uids), f"FETCH of message {seq} of {len(self.uids)}")
        known = self.uids[seq - 1]
        hold(known in (None, uid), f"message {seq} had UID {known}, and is told to have {uid}")
        if known is None:
            self.neighbours_agree(seq, uid)
            self.uids[seq - 1] = uid

    def fetched(self, seq, uid=None, flags=None, token=None, modseq=None):
        if uid is not None:
            self.learn(seq, uid)
        hold(1 <= seq <= len(self.uids), f"FETCH of message {seq} of {len(self.uids)}")
        uid = self.uids[seq - 1]
        if uid is None:
            return None
        self.truth.see(self.folder, uid, token)
        if flags is not None:
            self.flags[uid] = frozenset(flags) - {"\\Recent"}
        if modseq is not None:
            last = self.modseqs.get(uid, 0)
            hold(modseq >= last, f"UID {uid} had modseq {last}, and now {modseq}")
            self.modseqs[uid] = modseq
        return uid

    def modseq_is(self, modseq):
        hold(modseq >= self.highest_modseq, f"HIGHESTMODSEQ was {self.highest_modseq}, and now {modseq}")
        self.highest_modseq = modseq


FETCH = re.compile(r"\* (\d+) FETCH \((.*)\)$", re.S)
UID, FLAGS = re.compile(r"\bUID (\d+)"), re.compile(r"\bFLAGS \(([^)]*)\)")
TOKEN, MODSEQ = re.compile(r"Subject: (t\d+)\r\n"), re.compile(r"\bMODSEQ \((\d+)\)")


def number_of(pattern, text):
    found = pattern.search(text)
    return int(found[1]) if found else None


def take_fetch(view, line):
    """Lets the view judge a FETCH response; returns the UID it is about, or None."""
    seq, items = FETCH.match(line).groups()
    flags, token = FLAGS.search(items), TOKEN.search(items)
    return view.fetched(int(seq), number_of(UID, items), flags[1].split() if flags else None,
                        token[1] if token else None, number_of(MODSEQ, items))
