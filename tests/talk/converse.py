#!/usr/bin/env python3
"""converse.py [--door DOOR] [--connect PORT] FILE.talk: has a conversation with a real daemon and compares.

Without --connect it makes a store in a temporary folder, starts the door's daemon on a free port and ends
both; with it, it talks to whatever listens on that port of the loopback address (then `user`, `mail` and
the other preparations are not possible).  The grammar is in postern-talk(5).
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import SOURCE, run_main
from harness.site import CommandError, Site
from harness.story import until
from harness.wire import WireError
from talk.party import Party, Unlike
from talk.pattern import Names, PatternError, read_crlf
from talk.script import DOORS, ScriptError, parse

SECRET = "secret"
TESTS = os.path.join(SOURCE, "tests")
# A fault of the conversation, as against a fault of this program.
FAULTS = (Unlike, PatternError, WireError, CommandError)


class Conversation:
    def __init__(self, script, site, ports):
        self.script, self.site, self.ports = script, site, ports
        here = os.path.dirname(os.path.abspath(script.path))
        self.names = Names((here, os.path.join(TESTS, "talk", "mail"), os.path.join(TESTS, "fixtures")))
        self.parties = {}
        self.passwords = {}
        self.last_user = None
        self.journal = []

    # --- preparations ---

    def prepare(self):
        for step in self.script.setup:
            getattr(self, "do_" + step.verb)(step)

    def do_user(self, step):
        user, password = (step.args + [SECRET])[:2]
        self.passwords[user] = password
        self.last_user = user.encode("latin-1").decode()
        self.site.user(self.last_user, password.encode("latin-1").decode())

    def do_domain(self, step):
        self.site.postern("domain", "add", step.args[0].encode("latin-1").decode())

    def do_mail(self, step):
        path, arrow, folder, user = (step.args + [self.last_user])[:4]
        if arrow != "->":
            raise PatternError("write: mail FILE -> FOLDER [USER]")
        self.site.import_mail(user, self.names.find(path), folder=folder)

    def do_conf(self, step):
        self.site.configure(*step.args)

    # --- verbs of the command ---

    def do_setting(self, step):
        if len(step.args) == 2:
            self.site.reg(*step.args)
        else:
            self.site.setting(*step.args)

    def do_policy(self, step):
        self.site.postern("policy", "set", *step.args)

    def do_grant(self, step):
        self.site.postern("grant", *step.args)

    def do_revoke(self, step):
        self.site.postern("revoke", *step.args)

    def do_ctl(self, step):
        self.site.postern(*(self.names.send(arg) for arg in step.args), cwd=SOURCE)

    def refuse_ctl(self, step):
        self.site.postern(*(self.names.send(arg) for arg in step.args), ok=False, cwd=SOURCE)

    def do_sessions(self, step):
        user, n = step.args[0], int(step.args[1])
        if not until(lambda: len(self.site.sessions(user)) == n):
            raise Unlike(f"line {step.line}: {user} was to hold {n} sessions, and holds "
                         f"{len(self.site.sessions(user))}")

    def do_restart(self, _step):
        self.site.stop(self.script.door)
        self.site.serve(self.script.door)

    def do_kill(self, _step):
        self.site.kill(self.script.door)
        self.site.serve(self.script.door)

    # --- connections ---

    def party(self, number):
        if number not in self.parties:
            self.connect(number)
        return self.parties[number]

    def connect(self, number, tls=False):
        door = self.script.door
        self.parties[number] = Party(number, self.ports[door + "s" if tls else door], door,
                                     self.journal, tls)

    def do_connect(self, step):
        if step.text not in ("", "tls"):
            raise PatternError(f"line {step.line}: `connect` or `connect tls`")
        self.connect(step.connection, tls=step.text == "tls")

    def do_login(self, step):
        numbers = [int(arg) for arg in step.args if arg.isdigit()]
        user, *password = [arg for arg in step.args if not arg.isdigit()]
        password = password[0] if password else self.passwords.get(user, SECRET)
        for number in numbers:
            if self.script.door == "imap":
                commands = [(f'login LOGIN "{user}" "{password}"', "login OK ~")]
            else:
                commands = [(f"USER {user}", "+OK~"), (f"PASS {password}", "+OK~")]
            for command, answer in commands:
                self.party(number).send(step.line, command + "\r\n")
                self.party(number).expect([(step.line, (answer, False))], self.names, False)

    def do_send(self, step):
        self.party(step.connection).send(step.line, self.names.send(step.text) + "\r\n")

    def do_send_raw(self, step):
        self.party(step.connection).send(step.line, self.names.send(step.text, raw=True))

    def do_send_file(self, step):
        self.party(step.connection).send(step.line, read_crlf(self.names.find(step.text)))

    def do_send_file_exact(self, step):
        with open(self.names.find(step.text), "rb") as f:
            self.party(step.connection).send(step.line, f.read().decode("latin-1"))

    def do_start_tls(self, step):
        self.party(step.connection).wire.start_tls()

    def do_start_deflate(self, step):
        self.party(step.connection).wire.start_deflate()

    def do_close(self, step):
        self.parties.pop(step.connection).wire.close()

    def do_reset(self, step):
        self.parties.pop(step.connection).wire.reset()

    def do_expect_closed(self, step):
        self.party(step.connection).expect_closed(step.line)

    def expect(self, steps):
        """Neighbouring S: and !S: lines of one connection: first what must come, then what must not."""
        party = self.party(steps[0].connection)
        wanted = [(s.line, (s.text, s.verb == "expect_raw")) for s in steps if "expect" in s.verb]
        if wanted:
            party.expect(wanted, self.names, self.script.extra_refused)
        for s in steps:
            if "refute" in s.verb:
                party.refute(s.line, (s.text, s.verb == "refute_raw"), self.names)

    def run(self):
        steps = self.script.steps
        at = 0
        while at < len(steps):
            step, group = steps[at], []
            while at < len(steps) and self.is_reading(steps[at]) and \
                    steps[at].connection == step.connection:
                group.append(steps[at])
                at += 1
            if group:
                self.expect(group)
                continue
            if step.verb == "!ctl":
                self.refuse_ctl(step)
            else:
                getattr(self, "do_" + step.verb)(step)
            at += 1

    @staticmethod
    def is_reading(step):
        return step.verb in ("expect", "expect_raw", "refute", "refute_raw")

    def close(self):
        for party in self.parties.values():
            party.wire.close()


def talk(script, site, ports):
    """Has the conversation; returns what went wrong, or None."""
    conversation = Conversation(script, site, ports)
    try:
        conversation.prepare()
        if site:
            site.serve(script.door)
        conversation.run()
        return None
    except FAULTS as e:
        for party in conversation.parties.values():
            party.drain(0)
        said = "\n".join(conversation.journal)
        return f"The conversation (line of the transcript | connection):\n{said}\n\n{e}"
    finally:
        conversation.close()


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--door", default="", help="imap, pop3, lmtp or auth; else the file's folder or header says")
    options.add_argument("--connect", type=int, metavar="PORT", help="talk to what listens there")
    options.add_argument("file")
    given = options.parse_args()
    folder = os.path.basename(os.path.dirname(os.path.abspath(given.file)))
    try:
        script = parse(given.file, given.door or (folder if folder in DOORS else ""))
    except ScriptError as e:
        print(f"{given.file}: {e}")
        return 2
    if given.connect:
        wrong = talk(script, None, {script.door: given.connect})
    else:
        with Site(tls=script.tls) as site:
            wrong = talk(script, site, site.ports)
            if wrong:
                site.show_logs()
    if wrong:
        print(f"{given.file}: {wrong}")
        return 1
    return 0


if __name__ == "__main__":
    run_main(main)
