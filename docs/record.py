#!/usr/bin/env python3
"""Records a terminal program as an SVG that plays: docs/record.py OUT.svg COMMAND...

Runs the command in a tmux server of its own, looks at the screen every 50 ms, and writes each
different screen as text. What was shown last stays for a while before it begins again."""

import html
import os
import re
import subprocess
import sys
import tempfile
import time

COLUMNS, ROWS, STAY = 100, 24, 6.0
CELL, LINE, SIZE = 8.43, 19, 14
PLAIN = "#d0d4dc"
COLOURS = {
    30: "#6b7280", 31: "#f07178", 32: "#8fce7e", 33: "#e6c06c", 34: "#7aa7f0", 35: "#c792ea",
    36: "#6fcfcf", 37: "#d0d4dc", 90: "#7f8694", 91: "#ff8b92", 92: "#a8e39a", 93: "#f5d68a",
    94: "#9ac0ff", 95: "#dab0f5", 96: "#92e3e3", 97: "#ffffff",
}  # fmt: skip


def tmux(socket, *arguments):
    found = subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", *arguments], capture_output=True, text=True)
    return found.stdout if found.returncode == 0 else None


def record(command):
    """The different screens, each with the second in which it came."""
    with tempfile.TemporaryDirectory() as folder:
        socket, go, over = (os.path.join(folder, name) for name in ("tmux", "go", "over"))
        shown = " ".join(command)
        script = (
            f'until [ -e {go} ]; do sleep 0.01; done; printf "\\033[92m$\\033[0m %s\\n" "$0"; '
            f'"$@"; touch {over}; exec sleep 60'
        )
        tmux(socket, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "sh", "-c", script, shown, *command)
        tmux(socket, "set", "-g", "status", "off")
        open(go, "w").close()
        screens, start = [], time.monotonic()
        while time.monotonic() - start < 120:
            ended = os.path.exists(over)
            screen = tmux(socket, "capture-pane", "-p", "-e", "-t", ":")
            if screen is not None and (not screens or screens[-1][1] != screen):
                screens.append((time.monotonic() - start, screen))
            if ended:
                break
            time.sleep(0.05)
        tmux(socket, "kill-server")
    return screens


def spans(line):
    """(column, text, style) of a line with escape sequences."""
    colour, bold, dim, column = PLAIN, False, False, 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b"):
            codes = [int(code or 0) for code in part[2:-1].split(";")]
            for at, code in enumerate(codes):
                if code == 38:
                    break
                if code == 0:
                    colour, bold, dim = PLAIN, False, False
                elif code in (1, 2, 22):
                    bold, dim = code == 1, code == 2
                elif code == 39:
                    colour = PLAIN
                elif code in COLOURS:
                    colour = COLOURS[code]
        elif part:
            if part.strip():
                yield column, part, (colour, bold, dim)
            column += len(part)


def text(screen, rows):
    out = []
    for row, line in enumerate(screen.split("\n")[:rows]):
        for column, part, (colour, bold, dim) in spans(line.rstrip()):
            lead = len(part) - len(part.lstrip(" "))
            style = f' fill="{colour}"' if colour != PLAIN else ""
            style += ' font-weight="bold"' if bold else ""
            style += ' opacity="0.6"' if dim else ""
            part = part.strip(" ")
            # The width is given, so that no font can push what follows out of its column.
            out.append(
                f'<text x="{16 + (column + lead) * CELL:.1f}" y="{48 + row * LINE}"{style} '
                f'textLength="{len(part) * CELL:.1f}">{html.escape(part, quote=False)}</text>'
            )
    return "".join(out)


def svg(screens):
    rows = max(len(screen.rstrip().split("\n")) for _, screen in screens)
    width, height = round(32 + COLUMNS * CELL), 48 + rows * LINE
    whole = screens[-1][0] + STAY
    styles, groups = [], []
    for number, (begin, screen) in enumerate(screens):
        end = screens[number + 1][0] if number + 1 < len(screens) else whole
        first, last = begin / whole * 100, end / whole * 100
        frames = "" if first == 0 else f"0%{{visibility:hidden}}{first:.2f}%{{visibility:visible}}"
        frames = frames or "0%{visibility:visible}"
        if last < 100:
            frames += f"{last:.2f}%{{visibility:hidden}}100%{{visibility:hidden}}"
            hidden = "visibility:hidden;"
        else:
            hidden = ""
        styles.append(f"#f{number}{{{hidden}animation:f{number} {whole:.2f}s step-end infinite}}")
        styles.append(f"@keyframes f{number}{{{frames}}}")
        groups.append(f'<g id="f{number}">{text(screen, rows)}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="{SIZE}" fill="{PLAIN}" '
        f'xml:space="preserve"><style>{"".join(styles)}</style>'
        f'<rect width="{width}" height="{height}" rx="8" fill="#14171d"/>'
        '<circle cx="18" cy="18" r="5" fill="#f07178"/><circle cx="36" cy="18" r="5" fill="#e6c06c"/>'
        f'<circle cx="54" cy="18" r="5" fill="#8fce7e"/>\n' + "\n".join(groups) + "\n</svg>\n"
    )


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "w") as out:
        out.write(svg(record(sys.argv[2:])))


if __name__ == "__main__":
    main()
