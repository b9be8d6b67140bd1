# SPDX-License-Identifier: Apache-2.0
"""Writes envelopes by cbor2 and cryptography, which know nothing of femto: peer.py <directory>.

peer-<algorithm>-<size>.hex hold any bytes, container-<algorithm>-<sequence>.hex a container that
returns the sequence number."""
import hashlib
import os
import struct
import sys

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

SCALAR = int("0296588d909418b339d150420a3612b57fb4f631a69f224fae90cb4f3fe18973", 16)
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
VENDOR = bytes.fromhex("cfbff0d193755685968c48ce8b15ae17")
CLASS = bytes.fromhex("165a5b96b9015f3a90b817ef18b9c03d")
HOOK = bytes.fromhex("e4fee96266555157ab261a59561bb571")


def encode(item):
    return cbor2.dumps(item, canonical=True)


def digest(data):
    return encode([-16, hashlib.sha256(data).digest()])


def sign(algorithm, message):
    if algorithm == -19:
        return ed25519.Ed25519PrivateKey.from_private_bytes(SEED).sign(message)
    der = ec.derive_private_key(SCALAR, ec.SECP256R1()).sign(message, ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def envelope(algorithm, sequence, payload):
    shared = [20, {1: VENDOR, 2: CLASS, 3: digest(payload), 14: len(payload)}, 1, 15, 2, 15]
    manifest = encode({
        1: 1, 2: sequence, 3: encode({2: [[HOOK]], 4: encode(shared)}),
        7: encode([3, 15]), 20: encode([20, {21: "#image"}, 21, 15, 3, 15])})
    named = digest(encode(manifest))
    header = encode({1: algorithm})
    signature = sign(algorithm, encode(["Signature1", header, b"", named]))
    sign1 = encode(cbor2.CBORTag(18, [header, {}, None, signature]))
    return encode(cbor2.CBORTag(107, {2: encode([named, sign1]), 3: manifest, "#image": payload}))


def container(value):
    """docs/image.md: r0 = value, exit."""
    text = struct.pack("<BBhi", 0xB7, 0, 0, value) + struct.pack("<BBhi", 0x95, 0, 0, 0)
    return struct.pack("<4sBBBBIHHIIIIIHH", b"fmtc", 1, 0, 1, 0, 40 + len(text) + 20, 0, 0,
                       len(text), 0, 0, 0, 100, 64, 0) + text + HOOK + struct.pack("<I", 0)


def write(name, data):
    with open(os.path.join(sys.argv[1], name + ".hex"), "w", encoding="ascii") as file:
        file.write(data.hex())


for algorithm in (-9, -19):
    for size, sequence in ((8, 0), (16, 23), (24, 24), (256, 2**32), (512, 2**64 - 1)):
        write(f"peer{algorithm}-{size}",
              envelope(algorithm, sequence, bytes(range(256))[:size] * (size // 256 or 1)))
    for sequence in (1, 2):
        write(f"container{algorithm}-{sequence}", envelope(algorithm, sequence, container(sequence)))
