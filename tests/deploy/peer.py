# SPDX-License-Identifier: Apache-2.0
"""Looks at what femto writes with tools that know nothing of it: cbor2, cryptography, openssl."""
import hashlib
import io
import os
import struct
import subprocess
import uuid

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

VENDOR = uuid.uuid5(uuid.NAMESPACE_DNS, "femto.example")
CLASS = uuid.uuid5(VENDOR, "femto device")
HOOKS = {name: uuid.UUID(f"46454d54-0000-8000-8000-0000{n:08x}")
         for n, name in enumerate(["scheduler", "timer", "coap"], 1)}


def image(text, hook="timer", helpers=(), fuel=1000, rodata=b"", data=b"", store_entries=0):
    """A container image, as docs/image.md has it."""
    pad = lambda b: b + bytes(-len(b) % 8)
    tail = HOOKS[hook].bytes + struct.pack("<I", 0) + b"".join(struct.pack("<I", h) for h in helpers)
    body = text + pad(rodata) + pad(data) + tail
    return struct.pack("<IBBBBIHHIIIIIHH", 0x63746D66, 1, 0, 1, 0, 40 + len(body), len(helpers), 0,
                       len(text), len(rodata), len(data), 0, fuel, 512, store_entries) + body


def op(opcode, dst=0, src=0, offset=0, imm=0):
    return struct.pack("<BBhi", opcode, src << 4 | dst, offset, imm)


def returns(value, extra=0):
    """A program that returns `value`, and is longer by `extra` instructions."""
    return op(0xB7, 0, 0, 0, value) + op(0xB7, 1) * extra + op(0x95)


FAULTS = op(0x79, 0, 0, 0) + op(0x95)  # reads address r0 = 0


class Envelope:
    """An envelope taken apart and verified; raises if anything is not as the draft says."""

    def __init__(self, data, public_key_file):
        stream = io.BytesIO(data)
        tagged = cbor2.load(stream)
        assert not stream.read(), "bytes after the envelope"
        assert cbor2.dumps(tagged, canonical=True) == data, "not deterministic"
        assert tagged.tag == 107
        members = tagged.value
        assert list(members)[:2] == [2, 3]
        self.members = members
        digest_bytes, block = cbor2.loads(members[2])
        algorithm_id, digest = cbor2.loads(digest_bytes)
        assert algorithm_id == -16
        self.manifest_bytes = members[3]
        assert digest == hashlib.sha256(cbor2.dumps(members[3])).digest()
        sign1 = cbor2.loads(block)
        assert sign1.tag == 18
        protected, unprotected, payload, self.signature = sign1.value
        assert unprotected == {} and payload is None and len(self.signature) == 64
        self.algorithm = cbor2.loads(protected)
        self.message = cbor2.dumps(["Signature1", protected, b"", digest_bytes])
        self.verify(public_key_file)
        self.verify_by_openssl(public_key_file)
        for part in (members[3], digest_bytes, block, protected):
            assert cbor2.dumps(cbor2.loads(part), canonical=True) == part, "not deterministic"

        manifest = cbor2.loads(members[3])
        assert manifest[1] == 1
        self.sequence = manifest[2]
        common = cbor2.loads(manifest[3])
        ((self.component,),) = common[2]
        self.shared = cbor2.loads(common[4])
        assert self.shared[0] == 20
        self.parameters = self.shared[1]
        self.validate = cbor2.loads(manifest[7])
        self.invoke = cbor2.loads(manifest[9])
        self.install = cbor2.loads(manifest[20])
        named = cbor2.loads(self.parameters[3])
        assert named[0] == -16
        self.image_digest = named[1]
        self.uri = self.install[1][21]

    def verify(self, public_key_file):
        with open(public_key_file, "rb") as file:
            key = serialization.load_pem_public_key(file.read())
        if isinstance(key, ed25519.Ed25519PublicKey):
            assert self.algorithm == {1: -19}
            key.verify(self.signature, self.message)
        else:
            assert self.algorithm == {1: -9}
            r, s = (int.from_bytes(half, "big") for half in (self.signature[:32], self.signature[32:]))
            self.der = utils.encode_dss_signature(r, s)
            key.verify(self.der, self.message, ec.ECDSA(hashes.SHA256()))

    def verify_by_openssl(self, public_key_file):
        with open("tbs", "wb") as file:
            file.write(self.message)
        with open("tbs.sig", "wb") as file:
            file.write(self.signature if self.algorithm == {1: -19} else self.der)
        if self.algorithm == {1: -19}:
            command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", public_key_file,
                       "-in", "tbs", "-sigfile", "tbs.sig"]
        else:
            command = ["openssl", "dgst", "-sha256", "-verify", public_key_file,
                       "-signature", "tbs.sig", "tbs"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        os.remove("tbs")
        os.remove("tbs.sig")
