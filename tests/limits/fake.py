"""A small IMAP4 server with a limit of sessions that is wrong in a chosen way, so that the suite can be seen to notice."""
import socketserver
import threading
import time


class FakeServer(socketserver.ThreadingTCPServer):
    """fault: None, "racy" (looks and takes apart), "short" (lets go late), "leaky" (keeps what had no goodbye), "mute" (a
    refusal without a code), "unfair" (the limit is everybody's together)."""
    allow_reuse_address = daemon_threads = True
    request_queue_size = 256

    def __init__(self, limit, fault=None):
        self.limit, self.fault, self.held, self.refusals, self.lock = limit, fault, {}, 0, threading.Lock()
        super().__init__(("127.0.0.1", 0), Conversation)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def take(self, user):
        user = "all" if self.fault == "unfair" else user
        with self.lock:
            room = self.held.get(user, 0) < self.limit
            if room and self.fault != "racy":
                self.held[user] = self.held.get(user, 0) + 1
            self.refusals += not room and self.fault != "mute"
        if room and self.fault == "racy":
            time.sleep(0.02)
            with self.lock:
                self.held[user] = self.held.get(user, 0) + 1
        return room

    def give_back(self, user, with_goodbye):
        user = "all" if self.fault == "unfair" else user
        if self.fault == "leaky" and not with_goodbye:
            return
        with self.lock:
            self.held[user] -= 1


class Conversation(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        user = None
        try:
            self.say("* OK ready")
            for line in self.rfile:
                tag, verb, *words = line.decode().split()
                if verb == "LOGIN" and self.server.take(words[0]):
                    user = words[0]
                    self.say(f"{tag} OK in")
                elif verb == "LOGIN":
                    self.say(f"{tag} NO{'' if self.server.fault == 'mute' else ' [LIMIT]'} too many")
                elif verb == "LOGOUT":
                    self.end(user, True)
                    user = None
                    self.say(f"{tag} OK bye")
                    return
                else:
                    self.say(f"{tag} OK done")
        except OSError:
            pass
        finally:
            if user:
                self.end(user, False)

    def end(self, user, with_goodbye):
        if user and self.server.fault == "short":
            threading.Timer(0.2, self.server.give_back, (user, with_goodbye)).start()
        elif user:
            self.server.give_back(user, with_goodbye)
