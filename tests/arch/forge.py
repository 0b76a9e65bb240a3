#!/usr/bin/env python3
"""forge.py COMPILER...: forge.c compiles as it stands, and with none of its FORGE_ forms."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SOURCE = os.path.join(HERE, "forge.c")
# Why a forged form is refused; any other error would prove nothing.
MEANT = re.compile(r"incomplete type|storage size|incompatible|too many arguments|undefined type|too many actual")


def compile_with(compiler, *flags):
    return subprocess.run([*compiler, "-std=gnu17", "-D_GNU_SOURCE", "-Werror", "-fsyntax-only", "-I", ROOT, "-I",
                           os.path.join(ROOT, "lib"), *flags, SOURCE], capture_output=True, text=True)


def main(compiler):
    honest = compile_with(compiler)
    if honest.returncode != 0:
        print(f"the honest twin must compile:\n{honest.stderr}")
        return 1
    with open(SOURCE) as f:
        forms = sorted(set(re.findall(r"defined\((FORGE_\w+)\)", f.read())))
    wrong = 0
    for form in forms:
        forged = compile_with(compiler, f"-D{form}")
        refused = forged.returncode != 0 and MEANT.search(forged.stderr)
        print(f"{form}: {'refused' if refused else 'NOT refused as meant: ' + forged.stderr}")
        wrong += not refused
    return 1 if wrong or len(forms) < 2 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
