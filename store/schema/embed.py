#!/usr/bin/env python3
"""Writes schema/*.sql as C strings: embed.py OUT.c FILE.sql...  (001_mailbox.sql -> schema_001_mailbox)"""
import os
import sys

with open(sys.argv[1], "w", encoding="ascii") as out:
    out.write('/* Made from store/schema by embed.py. */\n#include "store/db_priv.h"\n')
    for path in sys.argv[2:]:
        name = os.path.basename(path).removesuffix(".sql")
        out.write(f"const char schema_{name}[] =\n")
        for line in open(path, encoding="ascii"):
            line = line.split("--")[0].rstrip()  # comments are for the reader of the file
            if line:
                line = line.replace("\\", "\\\\").replace('"', '\\"')
                out.write(f'\t"{line}\\n"\n')
        out.write("\t;\n")
