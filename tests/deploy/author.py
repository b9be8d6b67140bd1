# SPDX-License-Identifier: Apache-2.0
"""femto keygen, sign, manifest show, publish: against cbor2, cryptography, openssl, coap-client."""
import hashlib
import os
import stat
import subprocess
import time
import uuid

import cbor2

import peer
from harness import Failed, read_bytes, run_by_name, write_bytes


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def keys(f):
    os.umask(0)
    for kind, title in (("ed25519", "Ed25519"), ("p256", "P-256")):
        out = f.run("keygen", kind, "--type", kind, says=[title, kind + ".key", kind + ".pub"])
        assert mode(kind + ".key") == 0o600 and mode(kind + ".pub") == 0o644
        secret = read_bytes(kind + ".key")
        assert secret.splitlines()[1].decode() not in out, "the private key was printed"
        # openssl reads what femto writes: the same public key from the private one
        derived = subprocess.run(["openssl", "pkey", "-in", kind + ".key", "-pubout"], check=True,
                                 stdout=subprocess.PIPE).stdout
        assert derived == read_bytes(kind + ".pub")
        f.run("keygen", kind, status=2, says="is not replaced")
        assert read_bytes(kind + ".key") == secret
        # and femto what openssl writes
        option = ["-algorithm", "ed25519"] if kind == "ed25519" else \
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(["openssl", "genpkey", *option, "-out", "o.key"], check=True,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "pkey", "-in", "o.key", "-pubout", "-out", "o.pub"], check=True)
        write_bytes("c.img", peer.image(peer.returns(1)))
        f.run("sign", "c.img", "--key", "o.key", "-o", "o.suit")
        peer.Envelope(read_bytes("o.suit"), "o.pub")

    write_bytes("pass", b"correct horse\nsecond line\n")
    write_bytes("wrong", b"correct horse battery\n")
    write_bytes("empty", b"")
    f.run("keygen", "sealed", "--passphrase-file", "pass", says="sealed with the passphrase")
    assert mode("sealed.key") == 0o600 and b"SEALED" in read_bytes("sealed.key")
    assert subprocess.run(["openssl", "pkey", "-in", "sealed.key"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode != 0
    f.run("sign", "c.img", "--key", "sealed.key", "--passphrase-file", "pass", "-o", "s.suit")
    peer.Envelope(read_bytes("s.suit"), "sealed.pub")
    f.run("sign", "c.img", "--key", "sealed.key", "--passphrase-file", "wrong", status=2,
          says="wrong passphrase")
    f.run("sign", "c.img", "--key", "sealed.key", status=2, says="--passphrase-file", stdin=b"")
    f.run("keygen", "none", "--passphrase-file", "empty", status=2, says="no passphrase")
    assert not os.path.exists("none.key") and not os.path.exists("none.pub")
    f.run("sign", "c.img", "--key", "o.pub", status=2, says="not a private key")
    f.run("sign", "c.img", "--key", "c.img", status=2, says="not a key in PEM")
    f.run("sign", "c.img", "--key", "nowhere", status=2, says="does the file exist")
    f.run("manifest", "show", "s.suit", "--trust", "o.key", status=2, says="this is a private key")
    for length in range(0, 118, 7):  # a key that was cut short is refused
        write_bytes("cut.key", read_bytes("ed25519.key")[:length])
        f.run("sign", "c.img", "--key", "cut.key", status=2)


def sign(f):
    f.run("keygen", "e")
    f.run("keygen", "p", "--type", "p256")
    f.run("keygen", "other")
    image = peer.image(peer.returns(7), "timer")
    write_bytes("c.img", image)
    device = "00112233-4455-6677-8899-aabbccddeeff"
    for key in ("e", "p"):
        for sequence in (0, 23, 24, 255, 256, 65536, 2**32, 2**64 - 1):
            f.run("sign", "c.img", "--key", key + ".key", "--sequence", sequence, "-o", "c.suit")
            e = peer.Envelope(read_bytes("c.suit"), key + ".pub")
            assert e.sequence == sequence
            assert e.component == peer.HOOKS["timer"].bytes
            assert e.parameters == {1: peer.VENDOR.bytes, 2: peer.CLASS.bytes, 14: len(image),
                                    3: cbor2.dumps([-16, hashlib.sha256(image).digest()])}
            assert e.shared[2:] == [1, 15, 2, 15]
            assert e.validate == [3, 15] and e.invoke == [23, 2]
            assert e.install == [20, {21: "#image"}, 21, 2, 3, 15]
            assert e.members["#image"] == image
        uri = "coap://[2001:db8::1]:61616/fc/c-2.img"
        f.run("sign", "c.img", "--key", key + ".key", "--uri", uri, "-o", "u.suit", "--vendor",
              "acme.example", "--class", "valve", "--device", device, says=uri)
        e = peer.Envelope(read_bytes("u.suit"), key + ".pub")
        vendor = uuid.uuid5(uuid.NAMESPACE_DNS, "acme.example")
        assert e.parameters[1] == vendor.bytes
        assert e.parameters[2] == uuid.uuid5(vendor, "valve").bytes
        assert e.parameters[24] == uuid.UUID(device).bytes and e.shared[-2:] == [24, 15]
        assert e.uri == uri and list(e.members) == [2, 3]
        assert read_bytes("u.img") == image
        f.run("sign", "c.img", "--key", key + ".key", "--vendor", str(vendor), "--class", device,
              "-o", "v.suit")
        e = peer.Envelope(read_bytes("v.suit"), key + ".pub")
        assert e.parameters[1] == vendor.bytes and e.parameters[2] == uuid.UUID(device).bytes
    now = time.time()
    f.run("sign", "c.img", "--key", "e.key")
    assert abs(peer.Envelope(read_bytes("c.suit"), "e.pub").sequence - now) < 120

    # signed by somebody else's program: Ed25519, ECDSA in DER, and both on standard input and as $1
    by_openssl = {"e": 'openssl pkeyutl -sign -rawin -inkey e.key -in "$1"',
                  "p": "openssl dgst -sha256 -sign p.key"}
    for key, command in by_openssl.items():
        for _ in range(8):  # DER varies in length
            f.run("sign", "c.img", "--signer", command, "--public-key", key + ".pub", "-o", "x.suit")
            peer.Envelope(read_bytes("x.suit"), key + ".pub")
    f.run("sign", "c.img", "--signer", by_openssl["e"], "--public-key", "other.pub", "-o", "y.suit",
          status=2, says="another key")
    f.run("sign", "c.img", "--signer", "exit 3", "--public-key", "e.pub", "-o", "y.suit", status=2,
          says="the signing command failed")
    f.run("sign", "c.img", "--signer", "echo hello", "--public-key", "p.pub", "-o", "y.suit",
          status=2, says="no signature")
    f.run("sign", "c.img", "--signer", "true", "-o", "y.suit", status=2, says="--public-key")
    f.run("sign", "c.img", "-o", "y.suit", status=2, says="--key")
    assert not os.path.exists("y.suit")

    # an object is packed as its source says, and refused as femto pack does
    source = os.path.join(f.sources, "examples/deploy/counter.c")
    f.run("build", source, "-o", "counter.o")
    f.run("pack", "counter.o", "-o", "counter.img")
    f.run("sign", "counter.o", "--key", "e.key", "-o", "o.suit")
    e = peer.Envelope(read_bytes("o.suit"), "e.pub")
    assert e.members["#image"] == read_bytes("counter.img")
    assert e.component == peer.HOOKS["scheduler"].bytes
    f.run("sign", "counter.o", "--key", "e.key", "--hook", "timer", "-o", "o.suit")
    assert peer.Envelope(read_bytes("o.suit"), "e.pub").component == peer.HOOKS["timer"].bytes
    f.run("build", os.path.join(f.sources, "examples/hostile/recursion.c"), "-o", "bad.o")
    f.run("sign", "bad.o", "--key", "e.key", "--hook", "timer", "-o", "y.suit", status=1,
          says="recursion")
    assert not os.path.exists("y.suit")

    f.run("sign", "c.img", "--key", "e.key", "--hook", "coap", status=2, says="has no entry for hook")
    f.run("sign", "c.img", "--key", "e.key", "--hook", "door", status=2, says="scheduler, timer, coap")
    f.run("sign", "c.img", "--key", "e.key", "--uri", "http://example.com/c", status=2, says="coap://")
    f.run("sign", "c.img", "--key", "e.key", "--device", "7", status=2, says="not a UUID")
    f.run("sign", "c.img", "--key", "e.key", "--sequence", "-1", status=2)
    for length in (0, 3, 39, len(image) - 1):
        write_bytes("cut.img", image[:length])
        f.run("sign", "cut.img", "--key", "e.key", status=2, says="no container image")


def show(f):
    f.run("keygen", "e")
    f.run("keygen", "p", "--type", "p256")
    image = peer.image(peer.returns(7), "coap")
    write_bytes("c.img", image)
    f.run("sign", "c.img", "--key", "p.key", "--sequence", "77", "-o", "c.suit")
    plain = ["77", "femto.example", "femto device", "(coap)", hashlib.sha256(image).hexdigest(),
             "inside this envelope"]
    f.run("manifest", "show", "c.suit", says=[*plain, "not checked"])
    f.run("manifest", "show", "c.suit", "--trust", "e.pub", "--trust", "p.pub",
          says=[*plain, "verified: by p.pub"])
    f.run("manifest", "show", "c.suit", "--trust", "e.pub", status=1,
          says=[*plain, "NOT VERIFIED", "update_unsupported_algorithm"])
    envelope = read_bytes("c.suit")
    f.run("manifest", "show", "-", "--trust", "p.pub", stdin=envelope, says="verified")
    at = envelope.index(b"\x02\x18\x4d") + 2  # sequence 77 becomes 78
    write_bytes("t.suit", envelope[:at] + b"\x4e" + envelope[at + 1:])
    f.run("manifest", "show", "t.suit", "--trust", "p.pub", status=1,
          says=["NOT VERIFIED", "update_manifest_digest", "78"])
    write_bytes("t.suit", envelope[:-30] + b"\x01" + envelope[-29:])
    f.run("manifest", "show", "t.suit", "--trust", "p.pub", status=1, says="BUT NOT THE ONE NAMED")
    for length in range(len(envelope)):  # cut anywhere: an error, never a crash
        write_bytes("cut.suit", envelope[:length])
        if length % 9 == 0:
            f.run("manifest", "show", "cut.suit", "--trust", "p.pub", status=2, says="cut.suit")
    # what others wrote: the draft's own examples
    vectors = os.path.join(f.sources, "tests/update/vectors")
    write_bytes("d.suit", bytes.fromhex("".join(open(vectors + "/d37-ex1.hex").read().split())))
    f.run("manifest", "show", "d.suit", says=["http://example.com/file.bin", "34768", "ECDSA"])


def publish(f):
    f.run("keygen", "e")
    write_bytes("a.img", peer.image(peer.returns(7, extra=150)))
    write_bytes("b.img", peer.image(peer.returns(8), "coap"))
    f.run("sign", "a.img", "--key", "e.key", "--uri", "coap://host:1/fc/a-1.img", "-o", "a1.suit")
    f.run("sign", "b.img", "--key", "e.key", "-o", "b.suit")
    f.run("publish", "a1.suit", "a1.img", "b.suit", "--to", "www", says=["www/fc/a-1.img"])
    assert read_bytes("www/fc/a-1.img") == read_bytes("a.img")
    assert read_bytes("www/a1.suit") == read_bytes("a1.suit")
    assert read_bytes("www/b.suit") == read_bytes("b.suit")
    f.run("publish", "a1.suit", "--to", "w2", status=2, says="is not among the files")
    f.run("publish", "a1.suit", "b.img", "--to", "w2", status=2, says="is not among the files")
    f.run("publish", "b.suit", "a1.img", "--to", "w2", status=2, says="no envelope among the files")
    f.run("publish", "b.suit", status=2, says="--to FOLDER or --serve")
    f.run("publish", "b.suit", "--serve", "nowhere", status=2, says="HOST:PORT")
    assert not os.path.exists("w2")
    _, port = f.serve("a1.suit", "a1.img", "b.suit")
    for block in (16, 64, 256, 1024):
        for path, file in (("fc/a-1.img", "a.img"), ("a1.suit", "a1.suit"), ("b.suit", "b.suit")):
            subprocess.run(["coap-client-notls", "-b", str(block), "-o", "got", "-B", "60",
                            f"coap://127.0.0.1:{port}/{path}"], check=True)
            if read_bytes("got") != read_bytes(file):
                raise Failed(f"coap-client got another {path} with blocks of {block}")
    missing = subprocess.run(["coap-client-notls", f"coap://127.0.0.1:{port}/nothing"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    assert b"4.04" in missing


run_by_name({"keys": keys, "sign": sign, "show": show, "publish": publish})
