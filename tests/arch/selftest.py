#!/usr/bin/env python3
"""Every check of this suite can fail: each is shown a small tree that is wrong in one way, and must say so."""
import os
import sys
import tempfile
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from arch import idioms, layers, tables

ROW = 'SETTING(X, STORE, "MessageSizeMax", "octets", 1, 1, 2, "ours")\n'
# check, file, its text, what must be said of it (None: nothing)
CASES = [
    (layers, "imapd/a.c", '#include "store/folder.h"\n#include <stdio.h>\n#include <unistd.h>\n', None),
    (layers, "tests/unit/net/a.c", '#include "net/conn_priv.h"\n#include <sys/socket.h>\n', None),
    (layers, "ctl/a.c", '#include "ctl_verbs.tbl.h"\n', None),
    (layers, "imapd/a.c", '#include "pop3d/cmd.h"\n', 'imapd/a.c:1: imapd may not include "pop3d/cmd.h"'),
    (layers, "limits/a.h", '\n#include "store/store.h"\n', "limits/a.h:2: limits may not include"),
    (layers, "lib/net/a.c", '#include "mime/scan.h"\n', "net may not include"),
    (layers, "lib/base/a.c", '#  include "limits/site.h"\n', "base may not include"),
    (layers, "tests/unit/base/a.c", '#include "limits/site.h"\n', "base may not include"),
    (layers, "pop3d/a.c", '#include "store/sql_priv.h"\n', "private"),
    (layers, "pop3d/a.c", '#include "lib/base/err.h"\n', 'write "base/err.h"'),
    (layers, "pop3d/a.c", '#include "cmd.h"\n', "not named with its folder"),
    (layers, "imapd/a.c", "#include <sqlite3.h>\n", "only store/"),
    (layers, "store/a.c", "#include <libetpan/libetpan.h>\n", "only lib/mime/"),
    (layers, "imapd/a.c", "#include <microhttpd.h>\n", "only metrics/"),
    (layers, "ctl/a.c", "#include <fuse_lowlevel.h>\n", "only fs/"),
    (layers, "imapd/a.c", "#include <gnutls/gnutls.h>\n", "only lib/net/"),
    (layers, "store/a.c", "#include <sys/socket.h>\n", "only lib/net/"),
    (layers, "limits/a.c", "#include <netinet/tcp.h>\n", "only lib/net/"),
    (layers, "imapd/a.c", "int f(void) { return session_acquire(s, r); }\n", "session_acquire"),
    (layers, "imapd/a.c", "/* as session_acquire (limits) does */\n", None),
    (layers, "fs/a.c", "int f(void) { return session_acquire(s, r); }\n", None),
    (idioms, "store/a.c", "void f(void) { snprintf(a, n, b); }\n/* strcpy() is bad */\n", None),
    (idioms, "store/a.c", "void f(void) { strcpy(a, b); }\n", "store/a.c:1: strcpy()"),
    (idioms, "store/a.c", "\nvoid f(void) { sprintf (a, b); }\n", "store/a.c:2: sprintf()"),
    (idioms, "store/a.c", "int f(void) { return system(a); }\n", "system()"),
    (idioms, "store/a.c", 'void f(void) { str_buf_printf(b, "SELECT * FROM %s", t); }\n', "SQL put together"),
    (idioms, "store/a.c", 'void f(void) { err_set(e, "SELECT failed"); }\n', None),
    (idioms, "imapd/err_map.c", "switch (c) { case A: return 1; }\n", None),
    (idioms, "imapd/err_map.c", "switch (c) { default: return 1; }\n", "no default"),
    (idioms, "imapd/err_map.c", "static const int map[] = {1};\n", "is a switch"),
    (idioms, "store/a.c", "/* TO" + "DO: later */\n", "without a name"),
    (idioms, "store/a.c", "/* TO" + "DO(ann): when SQLite 3.51 is in Debian */\n", None),
    (idioms, "doc/a.md", "see /ho" + "me/ann/postern\n", "somebody's machine"),
    (idioms, "doc/a.md", "$HOME/x, DIR/home/x, ~/root/x\n", None),
    (idioms, "store/a.c", "/* RFC" + "3501 6.4.5 */\n", "the spelling is"),
    (idioms, "store/a.c", "/* RFC 3501 6.4.5, RFC822.SIZE */\n", None),
    (idioms, "doc/big.bin", "x" * 1000001, "no file is over"),
    (tables, "imapd/meson.build", "imap_cmds = ['noop']\n", "no tests/talk/imap/noop.talk"),
    (tables, "pop3d/meson.build", "pop3_cmds = [\n  'stat',\n]\n", "no tests/talk/pop3/stat.talk"),
    (tables, "pop3d/meson.build", "executable('postern-pop3d', src)\n", "no doc/man/postern-pop3d.8"),
    (tables, "pop3d/a.c", 'pop3_reply(client, "-ERR [SYS/TEMP] no such words");', '"no such words" has no row'),
    (tables, "ctl/meson.build", "ctl_verbs = ['user']\n", "no doc/man/postern-user.1"),
    (tables, "limits/limits.tbl.h", ROW, "MessageSizeMax is in no manual page"),
]


class ArchTest(unittest.TestCase):
    def test_each_check_says_what_is_wrong_and_nothing_else(self):
        for check, path, text, said in CASES:
            with self.subTest(path=path, text=text[:60]), tempfile.TemporaryDirectory() as root:
                self.put(root, path, text)
                wrong = check.check(root)
                if said is None:
                    self.assertEqual(wrong, [])
                else:
                    self.assertEqual(len(wrong), 1, wrong)
                    self.assertIn(said, wrong[0])

    def test_what_stands_beside_its_row_is_found(self):
        with tempfile.TemporaryDirectory() as root:
            self.put(root, "imapd/meson.build", "imap_cmds = ['noop']\n")
            self.put(root, "tests/talk/imap/noop.talk", "1 C: a NOOP\n")
            self.put(root, "ctl/meson.build", "ctl_verbs = ['user']\n")
            self.put(root, "doc/man/postern-user.1", ".Nm postern-user\n")
            self.put(root, "limits/limits.tbl.h", ROW)
            self.put(root, "doc/man/postern-settings.7", ".It MessageSizeMax\n")
            self.assertEqual(tables.check(root), [])

    @staticmethod
    def put(root, path, text):
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)


if __name__ == "__main__":
    unittest.main()
