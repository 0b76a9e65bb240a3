"""The manual against the program: every form and option of --help, and every row of the settings."""
import os
import re
import subprocess
import sys

PROGRAM, SOURCE = os.environ["POSTERN"], os.environ["SOURCE"]
ROW = re.compile(r'^SETTING\(\w+, \w+, "([^"]+)", "([^"]+)", (\w+), (\w+), (\w+), "[^"]+"\)', re.M)


def plain(page):
    """A manual page's words, without roff's marks."""
    with open(os.path.join(SOURCE, "doc/man", page), encoding="utf-8") as file:
        text = re.sub(r"\\f[A-Z]", "", file.read()).replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")
    return re.sub(r"^\.[A-Z]+ ?", "", text, flags=re.M)


def verbs():
    text = subprocess.run([PROGRAM, "help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z-]+) {2,}\S", text, re.M)


def verb_wrong(verb):
    """What --help says and postern-VERB(1) does not."""
    words = plain(f"postern-{verb}.1")
    text = subprocess.run([PROGRAM, verb, "--help"], capture_output=True, text=True, check=True).stdout
    summary = text.split("\n")[0].split(" - ", 1)[1]
    said = [summary] + re.findall(r"^ {4,}(?:-\w, | +)?(--[a-z-]+(?: [A-Z]+)?) ", text, re.M)
    said += [line.replace(" [OPTIONS]", "") for line in re.findall(rf"^  postern ({verb}(?: [a-z]+)?)", text, re.M)]
    return [f"postern-{verb}(1) lacks: {words_of_help}" for words_of_help in said if words_of_help not in words]


def shown(number, unit):
    if number == "SETTING_NULL":
        return "null"
    return unit.split("|")[int(number)] if "|" in unit else number.rstrip("u")


def settings_wrong():
    """Rows whose unit, default and range the page does not give."""
    words = plain("postern-settings.7")
    with open(os.path.join(SOURCE, "limits/limits.tbl.h"), encoding="utf-8") as file:
        rows = ROW.findall(file.read())
    assert len(rows) > 20, "the rows are not found"
    wrong = []
    for name, unit, default, least, most in rows:
        if "|" in unit:
            line = f"{name} ({shown(default, unit)}; {unit.replace('|', ' or ')})"
        else:
            most = "4294967295" if most == "SETTING_NULL" else shown(most, unit)
            line = f"{name} ({unit}; {shown(default, unit)}; {shown(least, unit)} to {most})"
        if line not in words:
            wrong.append(f"postern-settings(7) lacks: {line}")
    return wrong


def main():
    found = verbs()
    assert len(found) > 10, found
    page = plain("postern.1")
    wrong = [f"postern(1) lacks: postern-{verb}" for verb in found if f"postern-{verb}" not in page]
    for verb in found:
        wrong += verb_wrong(verb)
    wrong += settings_wrong()
    print("\n".join(wrong) or "the manual says what the program does")
    sys.exit(bool(wrong))


main()
