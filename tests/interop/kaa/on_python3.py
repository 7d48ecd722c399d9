"""Has kaa-base, which is of Python 2's days, run on Python 3.11: rules of replacement for the installed package.

Its only argument is the package's directory. Nothing of the package is kept here: what it says is found by
what Python has renamed, reserved or made strict since.
"""

import os
import re
import sys

RULES = [
    # A keyword since 3.7.
    (r"\basync\b", "later"),
    # Gone since 3.9, or 3.11; and never there.
    (r"sys\.getcheckinterval\(\)", "100"),
    (r"inspect\.getargspec", "inspect.getfullargspec"),
    (r"pickle\.UnpickleableError", "pickle.PicklingError"),
    # Since 3.2 `struct` takes bytes for `s`.
    (r'("I4sI", seq, )packet_type', r"\1bl(packet_type)"),
    (r"(\"20s20s20s\",.*)''", r"\1b''"),
    (r"(\"20s20s20s\",.*) ''", r"\1 b''"),
    # Imports beside the importing module are said to be such.
    (r"__import__\('main', globals\(\)\)", "__import__('main', globals(), level=1)"),
    (r"fromlist=names\)", "fromlist=names, level=1)"),
]


def main(package):
    for folder, _, files in os.walk(package):
        for name in files:
            if name.endswith(".py"):
                replace_in(os.path.join(folder, name))
    os.rename(os.path.join(package, "base", "async.py"), os.path.join(package, "base", "later.py"))


def replace_in(path):
    with open(path, encoding="latin1") as source:
        text = source.read()
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    with open(path, "w", encoding="latin1") as source:
        source.write(text)


main(sys.argv[1])
