# SPDX-License-Identifier: Apache-2.0
"""Runs femto and its peers. A test is a function that takes a Femto; it raises if it fails."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time


class Failed(Exception):
    pass


def wait_for(condition, what, seconds=60):
    """Waits until `condition()` is true. Generous: only a test that fails waits so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise Failed("waited in vain for " + what)


class Femto:
    def __init__(self, femto, sources):
        self.femto, self.sources, self.children = femto, sources, []

    def run(self, *arguments, status=0, says=(), says_not=(), stdin=None):
        """Runs femto to its end; checks the exit status and what it prints. Returns the latter."""
        done = subprocess.run([self.femto, *map(str, arguments)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, input=stdin, timeout=120)
        out = done.stdout.decode(errors="replace")
        shown = f"femto {' '.join(map(str, arguments))}\n{out}"
        if done.returncode != status:
            raise Failed(f"exit status {done.returncode} instead of {status}: {shown}")
        for text in [says] if isinstance(says, str) else says:
            if text not in out:
                raise Failed(f"does not say {text!r}: {shown}")
        for text in [says_not] if isinstance(says_not, str) else says_not:
            if text in out:
                raise Failed(f"says {text!r}: {shown}")
        return out

    def start(self, *command, log):
        """Starts a program that goes on; what it prints goes to the file `log`."""
        with open(log, "wb") as file:
            child = subprocess.Popen(list(map(str, command)), stdout=file, stderr=subprocess.STDOUT)
        self.children.append(child)
        return child

    def serve(self, *files, more=()):
        """`femto publish --serve` on a free port; the port."""
        child = self.start(self.femto, "publish", *files, "--serve", "127.0.0.1:0", *more, log="publish.log")
        line = wait_for(lambda: ended_or(child, "publish.log", r"coap://127.0.0.1:(\d+)/"), "publish")
        return child, int(line)

    def device(self, *more, name="device"):
        """`femto device`; its process and URIs."""
        listing = name + ".uris"
        if os.path.exists(listing):
            os.remove(listing)
        child = self.start(self.femto, "device", "--listen", "127.0.0.1:0", "--list", listing, *more,
                           log=name + ".log")
        def listed():
            if child.poll() is not None:
                raise Failed("the device ended: " + read(name + ".log"))
            return os.path.exists(listing) and read(listing)
        uris = wait_for(listed, "the device").split()
        return child, uris

    def close(self):
        for child in self.children:
            child.kill()
            child.wait()


def ended_or(child, log, pattern):
    if child.poll() is not None:
        raise Failed(f"{child.args} ended: " + read(log))
    found = re.search(pattern, read(log))
    return found and found.group(1)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def write_bytes(path, data):
    with open(path, "wb") as file:
        file.write(data)


def run_by_name(tests):
    """main of a test script: SCRIPT TEST FEMTO SOURCES."""
    name, femto, sources = sys.argv[1:]
    folder = tempfile.mkdtemp(prefix="femto-deploy-")
    os.chdir(folder)
    f = Femto(os.path.abspath(femto), sources)
    try:
        tests[name](f)
    except Failed as e:
        print("FAILED:", e)
        for log in sorted(os.listdir(".")):
            if log.endswith(".log"):
                print(f"--- {log}\n{read(log)[-2000:]}")
        sys.exit(1)
    finally:
        f.close()
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
