"""store.conf, edited in place as a person would: comments stay, keys are set or added."""


def set_key(path, section, key, value):
    with open(path) as f:
        lines = f.read().splitlines()
    head = f"[{section}]"
    if head not in [line.strip() for line in lines]:
        lines += ["", head]
    start = [line.strip() for line in lines].index(head) + 1
    end = next((i for i in range(start, len(lines)) if lines[i].lstrip().startswith("[")), len(lines))
    setting = f"{key} = {value}"
    for i in range(start, end):
        if lines[i].split("=", 1)[0].strip() == key:
            lines[i] = setting
            break
    else:
        lines.insert(start, setting)
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
