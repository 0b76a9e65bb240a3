#!/usr/bin/env python3
"""A real Exim delivers to postern-lmtpd, over TCP, by DATA and by BDAT.  Some messages and a part of the corpus while lmtpd is
killed; 10,000 and all of it with POSTERN_LONG=1, or as many as POSTERN_MESSAGES says.  POSTERN_SEED=N repeats the choices.

Exim starts two processes for a message, so the short form has less than Postfix's."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from delivery import storm, through  # noqa: E402
from delivery.mta import Exim  # noqa: E402
from harness.programs import run_main  # noqa: E402

# Real mail goes by DATA: where a line that is no field ends the header, Exim 4.96 counts an octet too few for its BDAT,
# and sends it as a command.
LMTP = """\
  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  hosts_override
  allow_localhost
  port = {port}
  message_linelength_limit = 1000000
  hosts_try_chunking = ${{if match{{$sender_address}}{{^n[0-9]{{1,4}}@}}{{}}{{*}}}}
"""


FORWARD = """\
forward:
  driver = redirect
  domains = local.example.org
  check_local_user
  file = $home/.forward
  pipe_transport = command
"""
COMMAND = """\
command:
  driver = pipe
  return_fail_output
  message_suffix =
"""


def main():
    rng = storm.seeded()
    with through.make_site() as site, Exim(
            site, lmtp=LMTP.format(port=site.ports["lmtp"]), routers=FORWARD, transports=COMMAND) as exim:
        through.goes_through(site, exim)
        through.international(site, exim)
        through.refused(site, exim)
        through.deferred(site, exim)
        through.by_command(site, exim)
        real, count = list(storm.real(site.work)), storm.MESSAGES
        if not storm.LONG:
            real, count = rng.sample(real, min(len(real), 60)), count if "POSTERN_MESSAGES" in os.environ else 100
        storm.storm(site, exim, real, rng, through.ended)
        storm.storm(site, exim, storm.generated(rng, count, first=10000, longest=5000), rng, through.ended)


if __name__ == "__main__":
    run_main(main)
