"""Thunderbird without a screen, driven over Marionette: JavaScript that runs where Thunderbird's own does.

A message is `LENGTH:[TYPE, ID, ...]` in JSON over TCP; 0 is a command, 1 its answer [1, ID, ERROR, RESULT].
"""
import json
import os
import socket
import subprocess
import time

from harness.programs import patience

PREFS = """
user_pref("marionette.port", {marionette});
user_pref("mail.accountmanager.accounts", "account1");
user_pref("mail.accountmanager.defaultaccount", "account1");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.account.account1.identities", "id1");
user_pref("mail.server.server1.type", "{kind}");
user_pref("mail.server.server1.hostname", "127.0.0.1");
user_pref("mail.server.server1.port", {port});
user_pref("mail.server.server1.userName", "alice");
user_pref("mail.server.server1.name", "alice");
user_pref("mail.server.server1.socketType", 0);
user_pref("mail.server.server1.authMethod", 3);
user_pref("mail.server.server1.login_at_startup", false);
user_pref("mail.server.server1.storeContractID", "@mozilla.org/msgstore/maildirstore;1");
user_pref("mail.identity.id1.fullName", "Alice");
user_pref("mail.identity.id1.useremail", "alice@example.org");
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mail.spotlight.firstRunDone", true);
user_pref("mailnews.start_page.enabled", false);
user_pref("app.donation.eoy.version.viewed", 999);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.proxy.allow_hijacking_localhost", false);
"""


class ScriptError(Exception):
    pass


class Thunderbird:
    def __init__(self, work, port, marionette_port, kind="imap"):
        self.profile = os.path.join(work, "profile")
        os.mkdir(self.profile)
        with open(os.path.join(self.profile, "user.js"), "w") as f:
            f.write(PREFS.format(marionette=marionette_port, port=port, kind=kind))
        self.log = open(os.path.join(work, "thunderbird.log"), "wb")
        self.process = subprocess.Popen(
            ["thunderbird", "-headless", "-marionette", "-remote-allow-system-access", "-no-remote", "-profile", self.profile],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
            env={**os.environ, "HOME": work, "MOZ_CRASHREPORTER_DISABLE": "1"})
        self.buffer, self.id = b"", 0
        self.socket = self.connect(marionette_port)
        self.read()  # what it says of itself
        self.command("WebDriver:NewSession", {})
        self.command("Marionette:SetContext", {"value": "chrome"})
        self.command("WebDriver:SetTimeouts", {"script": int(patience(120) * 1000)})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.command("Marionette:Quit", {"flags": ["eForceQuit"]})
            self.process.wait(patience(30))
        except (OSError, EOFError, ScriptError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.socket.close()
        self.log.close()

    def connect(self, port):
        end = time.monotonic() + patience(90)
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=patience(180))
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    self.process.kill()
                    raise
                time.sleep(0.2)

    def read(self):
        while b":" not in self.buffer:
            self.fill()
        length, _, self.buffer = self.buffer.partition(b":")
        while len(self.buffer) < int(length):
            self.fill()
        message, self.buffer = self.buffer[:int(length)], self.buffer[int(length):]
        return json.loads(message)

    def fill(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError("Thunderbird closed the connection")
        self.buffer += data

    def command(self, name, arguments):
        self.id += 1
        text = json.dumps([0, self.id, name, arguments]).encode()
        self.socket.sendall(b"%d:%b" % (len(text), text))
        _, _, error, result = self.read()
        if error:
            raise ScriptError(f"{error['error']}: {error['message']}")
        return result

    def run(self, body, *arguments):
        """The body of an async function of `args`; what it returns."""
        script = f"const [args, done] = arguments; (async () => {{ {body} }})().then(r => done([r]), e => done(String(e)));"
        result = self.command("WebDriver:ExecuteAsyncScript", {"script": script, "args": [list(arguments)]})["value"]
        if not isinstance(result, list):
            raise ScriptError(result)
        return result[0]


def without_first(begins, data):
    """A message without the lines that Thunderbird puts above it, which begin so."""
    lines = data.splitlines(keepends=True)
    while lines and lines[0].startswith(begins):
        lines.pop(0)
    return b"".join(lines)
