"""Makes a wheel of a built binary: `cargo metadata --no-deps … | wheel.py BINARY FOLDER`.

A wheel is a zip with the binary in NAME-VERSION.data/scripts/, which installers put on the path,
and a few files about it. Metadata come from Cargo.toml by way of `cargo metadata` on stdin; the
platform comes from the binary itself: the highest version of glibc that it asks for, or the macOS
that it was built for. The same input makes the same bytes; SOURCE_DATE_EPOCH is the time of all
files. Prints the path of the wheel.
"""

import base64
import hashlib
import json
import os
import re
import struct
import sys
import time
import zipfile
from pathlib import Path

# `doppio` is somebody else's on the registries.
NAME = "doppio-run"
SCRIPT = "doppio"
ROOT = Path(__file__).resolve().parent.parent
LICENSES = ("LICENSE-APACHE", "LICENSE-MIT")

# What every Linux that calls itself manylinux has.
EVERYWHERE = re.compile(r"(libc\.so\.6|lib(m|dl|rt|pthread|util)\.so\.\d|libgcc_s\.so\.1|ld-linux.*\.so\.\d)")


class Unfit(Exception):
    """A binary that no wheel can be made of."""


def text_at(data, at):
    return data[at : data.index(b"\0", at)].decode()


def elf_needs(data):
    """An ELF binary's processor, the libraries that it links, and the versions of symbols it asks for."""
    if data[4:6] != b"\x02\x01":
        raise Unfit("it is no 64-bit little-endian ELF")
    processor = {62: "x86_64", 183: "aarch64"}.get(struct.unpack_from("<H", data, 18)[0])
    if processor is None:
        raise Unfit("it is for a processor that is neither x86-64 nor AArch64")
    start, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, start + size * i) for i in range(count)]

    def in_file(address):
        for kind, _, offset, begin, _, length, _, _ in segments:
            if kind == 1 and begin <= address < begin + length:
                return offset + address - begin
        raise Unfit("its dynamic section points outside of it")

    entries = []
    for kind, _, offset, _, _, length, _, _ in segments:
        if kind == 2:
            entries = list(struct.iter_unpack("<qQ", data[offset : offset + length - length % 16]))
    # The end mark.
    entries = entries[: next((i for i, (tag, _) in enumerate(entries) if tag == 0), None)]
    by_tag = dict(entries)
    libraries, versions = [], []
    if 5 in by_tag:
        names = in_file(by_tag[5])
        libraries = [text_at(data, names + value) for tag, value in entries if tag == 1]
        at = in_file(by_tag[0x6FFFFFFE]) if 0x6FFFFFFE in by_tag else None
        for _ in range(by_tag.get(0x6FFFFFFF, 0)):
            _, of_it, _, first, following = struct.unpack_from("<HHIII", data, at)
            inner = at + first
            for _ in range(of_it):
                _, _, _, name, step = struct.unpack_from("<IHHII", data, inner)
                versions.append(text_at(data, names + name))
                inner += step
            at += following
    return processor, libraries, versions


def linux_tags(data):
    processor, libraries, versions = elf_needs(data)
    if not libraries:
        # Static: it runs with any C library, so installers of both kinds may take it.
        return [f"manylinux_2_17_{processor}", f"manylinux2014_{processor}", f"musllinux_1_1_{processor}"]
    foreign = [library for library in libraries if not EVERYWHERE.fullmatch(library)]
    if foreign:
        raise Unfit(f"it links {', '.join(foreign)}, which not every Linux has")
    minor = 17
    for version in versions:
        if version == "GLIBC_ABI_DT_RELR":
            minor = max(minor, 36)
        elif found := re.fullmatch(r"GLIBC_2\.(\d+)(\.\d+)?", version):
            minor = max(minor, int(found[1]))
    also = [f"manylinux2014_{processor}"] if minor == 17 else []
    return [f"manylinux_2_{minor}_{processor}", *also]


def macos_tags(data):
    processor, _, _, count = struct.unpack_from("<IIII", data, 4)
    processor = {0x01000007: "x86_64", 0x0100000C: "arm64"}.get(processor)
    if processor is None:
        raise Unfit("it is for a processor that is neither x86-64 nor arm64")
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, at)
        # LC_BUILD_VERSION and, in older ones, LC_VERSION_MIN_MACOSX.
        if command in (0x32, 0x24):
            least = struct.unpack_from("<I", data, at + (12 if command == 0x32 else 8))[0]
            major, minor = least >> 16, least >> 8 & 0xFF
            return [f"macosx_{major}_{minor if major == 10 else 0}_{processor}"]
        at += size
    raise Unfit("it does not say which macOS it is for")


def platform_tags(data):
    """The tags of the platforms that the binary runs on, as PEP 600, PEP 656 and installers spell them."""
    try:
        if data[:4] == b"\x7fELF":
            return linux_tags(data)
        if data[:4] == b"\xcf\xfa\xed\xfe":
            return macos_tags(data)
    except (struct.error, ValueError, TypeError) as error:
        raise Unfit("it is cut short or damaged") from error
    raise Unfit("it is neither an ELF nor a Mach-O binary of 64 bits")


def version_of(package):
    """The version as Python spells it: 1.2.0-rc.1 is 1.2.0rc1."""
    return re.sub(r"-(a|b|rc)(?:lpha|eta)?\.?(\d+)$", r"\1\2", package["version"])


def described(readme, package):
    """README.md for a page elsewhere: links to files of the repository lead there, or are plain text."""
    base = package["repository"] and f"{package['repository']}/blob/v{package['version']}/"

    def link(found):
        image, text, target = found.groups()
        if image:
            return ""
        return f"[{text}]({base}{target})" if base else text

    return re.sub(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)]*)\)", link, readme)


def metadata(package):
    fields = [
        ("Metadata-Version", "2.4"),
        ("Name", NAME),
        ("Version", version_of(package)),
        ("Summary", package["description"]),
        ("License-Expression", package["license"]),
        *(("License-File", name) for name in LICENSES),
        ("Keywords", ",".join(package["keywords"])),
        ("Classifier", "Environment :: Console"),
        ("Classifier", "Operating System :: MacOS"),
        ("Classifier", "Operating System :: POSIX :: Linux"),
        ("Classifier", "Programming Language :: Rust"),
        ("Classifier", "Topic :: Security"),
        ("Classifier", "Topic :: System :: Distributed Computing"),
        *((("Project-URL", f"Source, {package['repository']}"),) if package["repository"] else ()),
        ("Description-Content-Type", "text/markdown"),
    ]
    head = "".join(f"{name}: {value}\n" for name, value in fields)
    return head + "\n" + described((ROOT / "README.md").read_text(encoding="utf-8"), package)


def build(package, binary, folder):
    data = binary.read_bytes()
    platforms = platform_tags(data)
    stem = f"{NAME.replace('-', '_')}-{version_of(package)}"
    info = f"{stem}.dist-info"
    wheel = ["Wheel-Version: 1.0", "Generator: doppio packaging", "Root-Is-Purelib: false"]
    wheel += [f"Tag: py3-none-{platform}" for platform in platforms]
    files = [(f"{stem}.data/scripts/{SCRIPT}", data, 0o755)]
    files += [(f"{info}/licenses/{name}", (ROOT / name).read_bytes(), 0o644) for name in LICENSES]
    files.append((f"{info}/METADATA", metadata(package).encode(), 0o644))
    files.append((f"{info}/WHEEL", "\n".join([*wheel, ""]).encode(), 0o644))
    record = ""
    for name, content, _ in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode(), 0o644))

    # Zip knows no time before 1980.
    epoch = max(int(os.environ.get("SOURCE_DATE_EPOCH") or 0), 315532800)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-py3-none-{'.'.join(platforms)}.whl"
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, time.gmtime(epoch)[:6])
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    partial.replace(path)
    return path


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: cargo metadata --no-deps --format-version 1 | wheel.py BINARY FOLDER")
    binary, folder = map(Path, sys.argv[1:])
    packages = json.load(sys.stdin)["packages"]
    package = next(p for p in packages if Path(p["manifest_path"]).parent.samefile(ROOT))
    try:
        print(build(package, binary, folder))
    except (OSError, Unfit) as error:
        sys.exit(f"no wheel of {binary}: {error}")


if __name__ == "__main__":
    main()
