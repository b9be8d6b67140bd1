# SPDX-License-Identifier: Apache-2.0
"""femto device, deploy, status: with libcoap's coap-client and coap-server as peers."""
import json
import os
import signal
import socket
import struct
import subprocess

import peer
from harness import Failed, ended_or, read, read_bytes, run_by_name, wait_for, write_bytes

SCHEDULER_AND_REST = ["--trust", "acme.pub:scheduler", "--trust", "beta.pub:timer,coap"]


def two_tenants(f):
    f.run("keygen", "acme")
    f.run("keygen", "beta", "--type", "p256")


def envelope(f, name, program, hook, key, sequence, *more, helpers=()):
    """Writes NAME.img and NAME.suit."""
    write_bytes(name + ".img", peer.image(program, hook, helpers))
    f.run("sign", name + ".img", "--key", key + ".key", "--sequence", sequence, "-o", name + ".suit",
          *more)


def report(f, uri):
    return json.loads(f.run("status", uri, "--json"))


def hook(f, uri, name):
    return next(h for h in report(f, uri)["hooks"] if h["name"] == name)


def put(uri, file, block=64, method="put"):
    """By Debian's coap-client; what it prints."""
    return subprocess.run(["coap-client-notls", "-m", method, "-b", str(block), "-B", "60", "-f",
                           file, uri + "/suit"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=90).stdout.decode(errors="replace")


def coap_message(code, path, options=(), payload=b"", mid=1, token=b"\x01"):
    """A confirmable message written by hand (RFC 7252), to say what no library would."""
    out = struct.pack("!BBH", 0x40 | len(token), code, mid) + token
    before = 0
    for number, value in sorted([(11, path.encode())] + list(options), key=lambda o: o[0]):
        delta, before = number - before, number
        first = delta if delta < 13 else 13
        out += bytes([first << 4 | len(value)]) + (bytes([delta - 13]) if first == 13 else b"") + value
    return out + (b"\xff" + payload if payload else b"")


class Raw:
    """A CoAP client without manners."""

    def __init__(self, uri):
        host, port = uri[len("coap://"):].split(":")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, int(port)))
        self.socket.settimeout(20)
        self.mid = 0

    def send(self, *args, **kwargs):
        self.mid += 1
        self.socket.send(coap_message(*args, mid=self.mid, **kwargs))

    def code(self):
        answer = self.socket.recv(2048)
        return (answer[1] >> 5) * 100 + (answer[1] & 31)

    def block(self, number, more, payload, szx=2, size1=None):
        value = (number << 4 | more << 3 | szx)
        value = value.to_bytes((value.bit_length() + 7) // 8, "big")
        options = [(27, value)] + ([(60, size1.to_bytes(4, "big").lstrip(b"\0"))] if size1 else [])
        self.send(3, "suit", options, payload)
        return self.code()

    def whole(self, data, order=None, szx=2):
        size = 16 << szx
        blocks = [data[n:n + size] for n in range(0, len(data), size)]
        return [self.block(n, n < len(blocks) - 1, blocks[n], szx)
                for n in (order or range(len(blocks)))]


def push(f):
    """Envelopes pushed by femto deploy and by coap-client, in blocks of every size."""
    two_tenants(f)
    _, (uri,) = f.device(*SCHEDULER_AND_REST)
    f.run("status", uri, says=["scheduler", "acme", "timer", "beta", "none"])
    sequence = 0
    for block in (16, 64, 256, 1024):
        sequence += 1
        envelope(f, "a", peer.returns(sequence, extra=60), "scheduler", "acme", sequence)
        out = put(uri, "a.suit", block, "post" if block == 64 else "put")
        assert "installed" in out, out
        assert hook(f, uri, "scheduler")["sequence"] == sequence
        out = put(uri, "a.suit", block)
        assert "update_already_current" in out, out
        sequence += 1
        envelope(f, "a", peer.returns(sequence, extra=60), "scheduler", "acme", sequence)
        f.run("deploy", "a.suit", uri, "--block", block, "--trial", 60, says="deployed: sequence")
        f.run("deploy", "a.suit", uri, "--block", block, says="ran already")
    state = wait_for(lambda: hook(f, uri, "scheduler"), "status")
    assert state["tenant"] == "acme" and state["runs"] >= 3 and state["faults"] == 0
    assert not state["on_trial"]
    assert "</suit>" in subprocess.run(["coap-client-notls", uri + "/.well-known/core"],
                                       stdout=subprocess.PIPE).stdout.decode()
    # a container answers requests, of others too: 4.04 before, then what it writes
    assert "4.04" in subprocess.run(["coap-client-notls", uri + "/value"], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT).stdout.decode()
    answer = (peer.op(0xBF, 6, 1) + peer.op(0xB7, 2, imm=0x45) + peer.op(0x85, imm=0x40) +
              peer.op(0xBF, 1, 6) + peer.op(0xB7, 2) + peer.op(0x85, imm=0x42) +
              peer.op(0xBF, 1, 6) + peer.op(0xB7, 2, imm=1) + peer.op(0x85, imm=0x41) +
              peer.op(0xBF, 7, 0) + peer.op(0xBF, 1, 6) + peer.op(0x85, imm=0x43) +
              peer.op(0xBF, 1, 0) + peer.op(0xB7, 2, imm=4711) + peer.op(0x85, imm=0x51) +
              peer.op(0x0F, 0, 7) + peer.op(0x95))
    envelope(f, "v", answer, "coap", "beta", 1, helpers=(0x40, 0x41, 0x42, 0x43, 0x51))
    f.run("deploy", "v.suit", uri, "--trial", "0", says="deployed, on trial")
    out = subprocess.run(["coap-client-notls", uri + "/value"], stdout=subprocess.PIPE).stdout
    assert out.strip() == b"4711", out


def refused(f):
    """Each refusal has its own words and CoAP code, and leaves what runs alone."""
    two_tenants(f)
    f.run("keygen", "stranger")
    f.run("keygen", "stranger2", "--type", "p256")
    _, (uri,) = f.device("--trust", "acme.pub:scheduler", "--trust", "beta.pub:timer,coap")
    envelope(f, "a5", peer.returns(5), "scheduler", "acme", 5)
    f.run("deploy", "a5.suit", uri, "--trial", 60)

    def is_refused(name, why, code):
        f.run("deploy", name + ".suit", uri, status=1, says=["refused", why, "still runs"])
        out = put(uri, name + ".suit")
        assert code in out and why in out, out
        state = hook(f, uri, "scheduler")
        assert state["sequence"] == 5 and state["state"] == "running" and state["faults"] == 0

    envelope(f, "r", peer.returns(4), "scheduler", "acme", 4)
    is_refused("r", "update_rollback", "4.09")
    envelope(f, "c", peer.returns(6), "scheduler", "acme", 5)
    is_refused("c", "update_sequence_conflict", "4.09")
    envelope(f, "w", peer.returns(6), "scheduler", "beta", 6)
    is_refused("w", "update_not_authorised", "4.03")
    envelope(f, "s", peer.returns(6), "scheduler", "stranger", 6)
    is_refused("s", "update_bad_signature", "4.01")
    envelope(f, "v", peer.returns(6), "scheduler", "acme", 6, "--vendor", "other.example")
    is_refused("v", "update_vendor_mismatch", "4.22")
    envelope(f, "k", peer.returns(6), "scheduler", "acme", 6, "--class", "valve")
    is_refused("k", "update_class_mismatch", "4.22")
    envelope(f, "h", peer.returns(6) + b"", "scheduler", "acme", 6)
    good = read_bytes("h.suit")
    at = good.index(read_bytes("h.img"))
    write_bytes("t.suit", good[:at + 45] + bytes([good[at + 45] ^ 1]) + good[at + 46:])
    is_refused("t", "update_digest_mismatch", "4.22")
    write_bytes("m.suit", good.replace(b"\x02\x06\x03", b"\x02\x07\x03"))
    is_refused("m", "update_manifest_digest", "4.01")
    envelope(f, "n", peer.op(0xFF) + peer.op(0x95), "scheduler", "acme", 6)
    is_refused("n", "update_program_rejected", "4.22")
    envelope(f, "p", peer.op(0x85, imm=0x32) + peer.op(0x95), "scheduler", "acme", 6, helpers=(0x32,))
    is_refused("p", "update_program_rejected", "4.22")
    f.run("status", uri, says=["the last one was refused", "5, running"])
    envelope(f, "big", peer.returns(1, extra=2000), "scheduler", "acme", 6)
    out = put(uri, "big.suit", 1024)
    assert "4.13" in out, out
    f.run("deploy", "big.suit", uri, status=1, says="update_too_large")
    f.run("deploy", "h.suit", uri, "--trial", 60, says="deployed")
    f.run("deploy", "a5.img", uri, status=2, says="a5.img")
    f.run("deploy", "h.suit", "http://localhost", status=2, says="coap://HOST")
    f.run("deploy", "h.suit", status=2, says="--fleet")
    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free.bind(("127.0.0.1", 0))
    nobody = f"coap://127.0.0.1:{free.getsockname()[1]}"  # takes messages, answers none
    short = ["--timeout", "1", "--retries", "1"]
    f.run("deploy", "h.suit", nobody, *short, status=3, says="no answer")


def blocks(f):
    """Blocks that are lost, repeated, reordered, of a wrong length; several senders; hostile ones."""
    two_tenants(f)
    _, (uri,) = f.device("--trust", "acme.pub")
    envelope(f, "a", peer.returns(1, extra=40), "timer", "acme", 1)
    data = read_bytes("a.suit")
    last = (len(data) - 1) // 64
    one, two = Raw(uri), Raw(uri)
    assert one.whole(data, [0, 1, 3])[-1] == 408  # 2 was lost
    assert one.whole(data, [2, 3, 3, 2, 1]) == [231] * 5  # repeated and late ones do no harm
    assert two.whole(data, [0]) == [503]  # busy
    assert f.run("status", uri, says="one is going on")
    assert two.whole(data, [last]) == [503]
    codes = one.whole(data, range(4, last + 1))
    assert codes[-1] == 204 and set(codes[:-1]) == {231}, codes
    assert hook(f, uri, "timer")["sequence"] == 1
    assert one.block(last, 0, data[last * 64:]) == 204  # its answer was lost: the same again
    assert two.whole(data)[-1] == 203  # and another peer learns that it is there
    # blocks of another length than they say, reserved sizes, sizes that overflow, nonsense
    envelope(f, "b", peer.returns(2, extra=40), "timer", "acme", 2)
    data = read_bytes("b.suit")
    assert one.block(0, 1, data[:63]) == 400
    assert one.block(0, 0, data[:65]) == 400
    assert one.block(0, 1, data[:64], szx=7) == 402
    assert one.block(0, 1, data[:64], size1=2**31) == 413
    assert one.block(2**20 - 1, 1, data[:64]) == 408
    assert one.block(2**20 - 1, 0, data[:64], szx=6) == 408
    one.send(3, "suit", [(27, b"\1\2\3\4")], data[:64])  # four bytes
    code = one.code()
    assert code in (0, 400, 402, 408), code  # 0: a reset, no CoAP at all
    one.send(3, "suit")
    assert one.code() == 400  # an empty envelope
    one.send(4, "suit")
    assert one.code() in (404, 405)  # DELETE
    one.send(1, "suit")
    assert one.code() == 405
    one.send(3, "status", payload=b"x")
    assert one.code() == 405
    one.send(1, "nowhere")
    assert one.code() == 404
    for cut in range(0, len(data), 17):
        one.send(3, "suit", payload=data[:cut])
        assert one.code() in (400, 401, 413), cut
    for n in range(0, 256, 5):  # whatever comes in, it goes on
        two.socket.send(bytes([n]) * (n % 40))
    two = Raw(uri)  # without the answers to that
    # begins, is interrupted, begins again with larger blocks
    assert one.whole(data, [0, 1]) == [231, 231]
    assert one.whole(data, szx=4)[-1] == 204
    assert hook(f, uri, "timer")["sequence"] == 2
    # a sender that vanished is forgotten when another one... only after the patience: still busy
    envelope(f, "c", peer.returns(3, extra=40), "timer", "acme", 3)
    assert one.whole(read_bytes("c.suit"), [0]) == [231]
    assert two.whole(read_bytes("c.suit"), [0]) == [503]
    assert one.whole(read_bytes("c.suit"))[-1] == 204  # it began again
    f.run("deploy", "c.suit", uri, says="ran already")


def coap_server(f, folder_files):
    """Debian's coap-server with files put into it; the process and its port."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    child = f.start("coap-server-notls", "-A", "127.0.0.1", "-p", port, "-d", "20", log="server.log")
    for path, file in folder_files.items():
        def stored(path=path, file=file):
            if child.poll() is not None:
                raise Failed("coap-server ended: " + read("server.log"))
            subprocess.run(["coap-client-notls", "-m", "put", "-B", "5", "-f", file,
                            f"coap://127.0.0.1:{port}/{path}"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            got = subprocess.run(["coap-client-notls", "-B", "5", "-o", "got",
                                  f"coap://127.0.0.1:{port}/{path}"], stderr=subprocess.DEVNULL)
            return got.returncode == 0 and os.path.exists("got") and \
                read_bytes("got") == read_bytes(file)
        wait_for(stored, "coap-server")
    return child, port


def pull(f):
    """Images that the device fetches, from coap-server and from femto publish."""
    two_tenants(f)
    _, (uri,) = f.device("--trust", "acme.pub")
    write_bytes("a.img", peer.image(peer.returns(1, extra=170), "timer"))
    _, port = coap_server(f, {"fc": "a.img"})

    def signed(sequence, where, image="a.img"):
        f.run("sign", image, "--key", "acme.key", "--sequence", sequence, "--uri", where, "-o", "u.suit")

    signed(1, f"coap://127.0.0.1:{port}/fc")
    f.run("deploy", "u.suit", uri, "--trial", 60, says="deployed")
    state = hook(f, uri, "timer")
    assert state["sequence"] == 1 and state["image_size"] == os.path.getsize("a.img")
    # another image there than the one that was signed: as long, shorter, longer
    write_bytes("b.img", peer.image(peer.returns(2, extra=170), "timer"))
    write_bytes("c.img", peer.image(peer.returns(2, extra=150), "timer"))
    write_bytes("d.img", peer.image(peer.returns(2, extra=190), "timer"))
    for image, why in (("b.img", "update_digest_mismatch"), ("c.img", "update_size_mismatch"),
                       ("d.img", "update_size_mismatch")):
        signed(2, f"coap://127.0.0.1:{port}/fc", image)
        f.run("deploy", "u.suit", uri, status=1, says=["refused", why])
        assert hook(f, uri, "timer")["sequence"] == 1
    signed(2, f"coap://127.0.0.1:{port}/nothing")
    f.run("deploy", "u.suit", uri, status=1, says=["refused", "4.04"])
    signed(2, "coap://127.0.0.1:9/fc")
    f.run("deploy", "u.suit", uri, "--trial", 0, status=1, says=["refused", "nobody listens"])
    # from femto publish, that loses messages; then the device does, too
    signed(3, "coap://127.0.0.1:1/x")
    f.run("publish", "u.suit", "u.img", "--to", "www")
    publisher, port = f.serve("u.suit", "u.img", more=["--lose", "10"])
    signed(4, f"coap://127.0.0.1:{port}/x", "a.img")
    f.run("deploy", "u.suit", uri, "--trial", 60, says="deployed")
    assert hook(f, uri, "timer")["sequence"] == 4


def interrupted(f):
    """A fetch whose server goes away and comes back; others meanwhile; an image that changes."""
    two_tenants(f)
    _, (uri,) = f.device("--trust", "acme.pub")
    write_bytes("a.img", peer.image(peer.returns(1, extra=400), "timer"))
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    f.run("sign", "a.img", "--key", "acme.key", "--sequence", 1, "--uri", f"coap://127.0.0.1:{port}/i",
          "-o", "a.suit")
    serve = [f.femto, "publish", "a.suit", "a.img", "--serve", f"127.0.0.1:{port}", "--pace", "40"]
    server = f.start(*serve, log="publish.log")
    wait_for(lambda: ended_or(server, "publish.log", r"(serving)"), "publish")
    deploying = f.start(f.femto, "deploy", "a.suit", uri, "--trial", "60", log="deploy.log")
    wait_for(lambda: report(f, uri)["received"] >= 256, "the first blocks")
    server.kill()
    server.wait()
    envelope(f, "b", peer.returns(2), "scheduler", "acme", 9)
    assert Raw(uri).whole(read_bytes("b.suit")) [0] == 503  # another update meanwhile: busy
    before = report(f, uri)["received"]
    assert 256 <= before < os.path.getsize("a.img")
    serve[-1] = "0"
    server = f.start(*serve, log="publish.log")
    wait_for(lambda: deploying.poll() is not None, "the rest")
    assert deploying.returncode == 0, read("deploy.log")
    assert hook(f, uri, "timer")["sequence"] == 1
    f.run("deploy", "b.suit", uri, "--trial", 60, says="deployed")
    server.kill()
    server.wait()
    # Another image takes its place while it is fetched: another ETag. The device begins again, and
    # finds that it is not the one that was signed.
    f.run("sign", "a.img", "--key", "acme.key", "--sequence", 2, "--uri", f"coap://127.0.0.1:{port}/i",
          "-o", "a.suit")
    serve[-1] = "40"
    server = f.start(*serve, log="publish.log")
    wait_for(lambda: ended_or(server, "publish.log", r"(serving)"), "publish")
    deploying = f.start(f.femto, "deploy", "a.suit", uri, log="deploy.log")
    wait_for(lambda: report(f, uri)["received"] >= 256, "the first blocks")
    server.kill()
    server.wait()
    write_bytes("z.img", peer.image(peer.returns(2, extra=400), "timer"))
    f.run("sign", "z.img", "--key", "acme.key", "--sequence", 3, "--uri", f"coap://127.0.0.1:{port}/i",
          "-o", "z.suit")
    f.start(f.femto, "publish", "z.suit", "z.img", "--serve", f"127.0.0.1:{port}", log="publish.log")
    wait_for(lambda: deploying.poll() is not None, "the end")
    assert deploying.returncode == 1 and "update_digest_mismatch" in read("deploy.log"), \
        read("deploy.log")
    assert hook(f, uri, "timer")["sequence"] == 1
    f.run("deploy", "z.suit", uri, "--trial", 60, says="deployed")


def survives(f):
    """kill -9 again and again while updates go on: old or new, and never back."""
    two_tenants(f)
    options = ["--trust", "acme.pub", "--state", "slots"]
    child, (uri,) = f.device(*options)
    envelope(f, "a1", peer.returns(1, extra=300), "timer", "acme", 1)
    f.run("deploy", "a1.suit", uri, "--trial", 60)
    assert os.path.exists("slots/timer.slots")
    floor = 1
    for sequence in range(2, 12):
        envelope(f, "a", peer.returns(sequence, extra=300), "timer", "acme", sequence)
        deploying = f.start(f.femto, "deploy", "a.suit", uri, "--block", "16", "--timeout", "1",
                            "--retries", "1", log="deploy.log")
        if sequence % 2 == 0:  # somewhere in the middle of the envelope
            wait_for(lambda: report(f, uri)["updating"] or deploying.poll() is not None, "it")
        else:  # somewhere around the switch
            wait_for(lambda: deploying.poll() is not None or
                     hook(f, uri, "timer")["sequence"] == sequence, "it")
        child.send_signal(signal.SIGKILL)
        child.wait()
        deploying.kill()
        deploying.wait()
        child, (uri,) = f.device(*options)
        state = hook(f, uri, "timer")
        assert state["sequence"] in (floor, sequence), (state, floor, sequence)
        assert state["image_size"] > 0 and state["state"] == "running"
        floor = state["sequence"]
        if floor > 1:
            f.run("deploy", "a1.suit", uri, status=1, says="update_rollback")
    f.run("deploy", "a.suit", uri, "--trial", 60)
    assert hook(f, uri, "timer")["sequence"] == 11
    # slots that are no slots
    child.kill()
    child.wait()
    write_bytes("slots/timer.slots", b"garbage")
    f.run("device", *options, "--listen", "127.0.0.1:0", status=2, says="timer.slots")


def trial(f):
    """A version that faults is rolled back and says why; without a version before, it stays off."""
    two_tenants(f)
    _, (uri,) = f.device("--trust", "acme.pub")
    envelope(f, "a1", peer.returns(1), "timer", "acme", 1)
    envelope(f, "a2", peer.FAULTS, "timer", "acme", 2)
    f.run("deploy", "a1.suit", uri, "--trial", 60, says="deployed: sequence 1")
    f.run("deploy", "a2.suit", uri, "--trial", 60, status=1,
          says=["rolled back", "illegal_memory", "instruction 0"])
    state = hook(f, uri, "timer")
    assert state["reverted"] and state["state"] == "running" and state["faults"] == 0
    f.run("status", uri, says=["2 was rolled back", "before 2, running"])
    f.run("deploy", "a1.suit", uri, status=1, says="update_rollback")
    envelope(f, "a3", peer.returns(1), "timer", "acme", 3)
    f.run("deploy", "a3.suit", uri, "--trial", 60, says="deployed: sequence 3")


def arguments(f):
    two_tenants(f)
    f.run("device", status=2, says="femto keygen acme")
    f.run("device", "--trust", "nowhere.pub", status=2, says="nowhere.pub")
    f.run("device", "--trust", "acme.pub:door", status=2, says="scheduler, timer, coap")
    f.run("device", "--trust", "acme.pub", "--listen", "x", status=2, says="HOST:PORT")
    used = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    used.bind(("127.0.0.1", 0))
    f.run("device", "--trust", "acme.pub", "--listen", f"127.0.0.1:{used.getsockname()[1]}", status=2,
          says="in use")
    for command in ("keygen", "sign", "publish", "deploy", "status", "device"):
        f.run(command, "--help", says=["Exit status", "Example", "femto " + command])
    f.run("manifest", "show", "--help", says="Exit status")


def fleet(f):
    """A rollout: canaries, a stop, going on after it, and losses."""
    two_tenants(f)
    _, uris = f.device("--trust", "acme.pub", "--count", 30, "--lose", 3)
    with open("devices.txt", "w", encoding="ascii") as file:
        file.write("# a comment\n\n" + "\n".join(uris) + "\n")
    envelope(f, "a1", peer.returns(1), "scheduler", "acme", 1)
    command = ["--fleet", "devices.txt", "--canary", "10%", "--parallel", 20]
    lossy = ["--lose", 3, "--timeout", 1, "--trial", 60]
    f.run("deploy", "a1.suit", *command, *lossy, says=["3 of them first", "30 devices", "complete"])
    assert all(hook(f, uri, "scheduler")["sequence"] == 1 for uri in uris)
    # a version that faults stops at the canaries; the others were not touched
    envelope(f, "a2", peer.FAULTS, "scheduler", "acme", 2)
    f.run("deploy", "a2.suit", *command, *lossy, status=1,
          says=["stopped: too many canaries failed", "rolled back", "27  not tried"])
    sequences = [hook(f, uri, "scheduler")["sequence"] for uri in uris]
    assert sequences == [2] * 3 + [1] * 27, sequences
    # one that is killed goes on where it was: with those that are missing
    envelope(f, "a3", peer.returns(3), "scheduler", "acme", 3)
    slow = f.start(f.femto, "deploy", "a3.suit", "--fleet", "devices.txt", "--parallel", 1,
                   "--state", "state", "--trial", "60", log="deploy.log")
    wait_for(lambda: os.path.exists("state") and read("state").count("\tcoap://") >= 4, "some")
    slow.kill()
    slow.wait()
    done = read("state").count("\tcoap://")  # deployed, or ran already when an answer was lost
    with open("state", "a", encoding="ascii") as file:
        file.write("deployed\tcoap://12")  # a line that was cut short
    f.run("deploy", "a3.suit", *command, *lossy, "--state", "state",
          says=[f"{done} of them done before", "complete"])
    assert all(hook(f, uri, "scheduler")["sequence"] == 3 for uri in uris)
    f.run("deploy", "a1.suit", *command, "--state", "state", status=2, says="another envelope")
    f.run("deploy", "a3.suit", "--fleet", "nowhere", status=2, says="nowhere")
    f.run("deploy", "a3.suit", "--fleet", "devices.txt", "--canary", "110%", status=2, says="0% to 100%")
    write_bytes("twice.txt", f"{uris[0]}\n{uris[0]}\n".encode())
    f.run("deploy", "a3.suit", "--fleet", "twice.txt", status=2, says="twice.txt:2")
    # some devices are gone: 2 of 32 are not more than 10 percent, but more than 3 percent
    with open("more.txt", "w", encoding="ascii") as file:
        file.write("\n".join(uris + ["coap://127.0.0.1:9", "coap://127.0.0.1:7"]))
    more = ["--fleet", "more.txt", "--timeout", 1, "--parallel", 32, "--trial", 60]
    f.run("deploy", "a3.suit", *more, status=1,
          says=["2  no answer: nobody listens", "30  ran already", "ended, with failures"])
    f.run("deploy", "a3.suit", *more, "--max-failures", "3%", "--state", "s2", status=1,
          says="stopped: too many devices failed")


run_by_name({"push": push, "refused": refused, "blocks": blocks, "pull": pull,
             "interrupted": interrupted, "survives": survives, "trial": trial,
             "arguments": arguments, "fleet": fleet})
