#!/usr/bin/env python3
"""Reads the vectors with code that was written from PROTOCOL.md alone, and with other libraries.

    pip install cryptography blake3 pynacl
    python3 audits/vectors/check.py

No test runs it: it is the proof that the page suffices, and a beginning for another implementation.
"""

import base64
import hashlib
import hmac
import json
import math
import pathlib
import struct

import nacl.bindings
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

H = bytes.fromhex


def vectors(name):
    return json.loads((pathlib.Path(__file__).parent / name).read_text())


class Reader:
    """postcard, section 1."""

    def __init__(self, data):
        self.data = data

    def take(self, count):
        taken, self.data = self.data[:count], self.data[count:]
        assert len(taken) == count, "cut off"
        return taken

    def varint(self):
        number, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def bytes(self):
        return self.take(self.varint())

    def end(self):
        assert not self.data, "something follows"


# ---- Sections 2 and 3: peers, signatures


def public(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def x25519_private(seed):
    return hashlib.sha512(seed).digest()[:32]


def x25519_public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def exchange(private, of):
    key = X25519PublicKey.from_public_bytes(of)
    return X25519PrivateKey.from_private_bytes(private).exchange(key)


def verify(key, domain, content, signature):
    message = domain.encode() + blake3(content).digest()
    Ed25519PublicKey.from_public_bytes(key).verify(signature, message)


def bech32m(prefix, data):
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = int.from_bytes(data, "big") << (-8 * len(data) % 5)
    count = -(-8 * len(data) // 5)
    fives = [bits >> 5 * (count - 1 - n) & 31 for n in range(count)]

    def polymod(values):
        check = 1
        for value in values:
            top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
            for bit, generator in enumerate(
                (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
            ):
                check ^= generator if top >> bit & 1 else 0
        return check

    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(spread + fives + [0] * 6) ^ 0x2BC830A3
    fives += [check >> 5 * (5 - n) & 31 for n in range(6)]
    return prefix + "1" + "".join(letters[five] for five in fives)


def base58(data):
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = digits[digit] + text
    return text


def keys():
    known = vectors("keys.json")
    for identity in known["identities"]:
        key = public(H(identity["seed"]))
        assert key == H(identity["peer_id"])
        assert identity["text"] == bech32m("tn", key) and len(identity["text"]) == 61
        assert identity["did_key"] == "did:key:z" + base58(b"\xed\x01" + key)
        converted = nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(key)
        assert converted == H(identity["x25519"])
        assert converted == x25519_public(x25519_private(H(identity["seed"])))
    for made in known["signatures"]:
        verify(public(H(made["seed"])), made["domain"], H(made["content"]), H(made["signature"]))


# ---- Section 5: documents


def optional(wire, read):
    present = wire.take(1)[0]
    assert present in (0, 1)
    return read() if present else None


def ascending(wire, least, most):
    """Names of peers or documents: each greater than the one before."""
    names = [wire.take(32) for _ in range(wire.varint())]
    assert least <= len(names) <= most and names == sorted(set(names))
    return names


def key(wire):
    """Its name, and who writes under it."""
    kind = wire.take(1)[0]
    assert kind <= 4
    if kind == 0:
        return None
    name = wire.bytes()
    assert len(name) <= 256
    if kind == 3:
        return name, kind, ascending(wire, 1, 64)
    return name, kind, wire.take(32) if kind == 4 else None


def document(body):
    """The header, the kind of the content, and what that holds."""
    wire = Reader(body)
    header = {
        "network": wire.bytes(),
        "created_at": wire.varint(),
        "nonce": wire.varint(),
        "expires_at": optional(wire, wire.varint),
        "key": key(wire),
        "next_key": optional(wire, lambda: wire.take(32)),
    }
    kind = wire.take(1)[0]
    assert kind < 128, "no version has it"
    if kind == 1:
        deletion = Reader(wire.data)
        assert bool(ascending(deletion, 0, 256)) == (header["key"] is None)
        deletion.end()
    return header, kind, wire.data


def documents():
    for known in vectors("documents.json")["documents"]:
        wire = Reader(H(known["wire"]))
        author, signature, body = wire.take(32), wire.take(64), wire.bytes()
        wire.end()
        verify(author, "taiinet/1 document", body, signature)
        assert blake3(author + blake3(body).digest()).hexdigest() == known["id"]
        assert known["size"] == 96 + len(body)
        header, kind, content = document(body)
        assert header["network"] == b"vectors"
        if known["what"] == "{}, with a next key":
            assert (header["next_key"], kind, content) == (bytes([7] * 32), 0, b"\x00")
        elif known["what"] == "content of a later version":
            assert (kind, content) == (4, b"what is to come")
        else:
            assert header["next_key"] is None and kind < 4
        if known["what"] == "{}, a version of another's document":
            assert header["key"] == (b"a", 4, public(bytes([2] * 32)))
        if known["what"] == "a deletion of what is under a key, until that ends":
            assert header["key"] == (b"profile", 1, None) and content == b"\x00"
        if known["what"] == "a deletion of two documents by their ids":
            assert header["key"] is None and len(content) == 1 + 64
    refused = {known["why"]: known["wire"] for known in vectors("documents.json")["refused"]}
    for why in ("writers that do not ascend", "65 writers", "ids that do not ascend", "257 ids"):
        try:
            document(refused_body(refused[why]))
        except AssertionError:
            continue
        raise AssertionError(why)


def refused_body(wire):
    wire = Reader(H(wire))
    wire.take(96)
    return wire.bytes()


# ---- Section 17: places


def ordered(number):
    """A number by its exact value."""
    below = float(number)
    if below > number:
        below = math.nextafter(below, -math.inf)
    (bits,) = struct.unpack(">Q", struct.pack(">d", below + 0.0))
    bits ^= (1 << 64) - 1 if bits >> 63 else 1 << 63
    more = struct.pack(">H", int(number) - int(below)) if abs(below) >= 2**53 else b""
    return struct.pack(">Q", bits) + more


def plus_one(text):
    return bytes(byte + 1 for byte in text.encode()) + b"\x00"


def encoded(value):
    """The tag, and what follows it."""
    if value is None:
        return b"\x10", b""
    if isinstance(value, bool):
        return b"\x70", bytes([value])
    if isinstance(value, (int, float)):
        return b"\x20", ordered(value)
    if isinstance(value, str):
        return b"\x30", plus_one(value)
    if isinstance(value, list):
        return b"\x50", b"".join(b"".join(encoded(element)) for element in value) + b"\x00"
    if list(value) == ["$bytes"]:
        data = base64.b64decode(value["$bytes"])
        return b"\x60", struct.pack(">Q", len(data)) + data
    fields = [(encoded(value[name]), name) for name in sorted(value, key=str.encode)]
    return b"\x40", b"".join(tag + plus_one(name) + rest for (tag, rest), name in fields) + b"\x00"


def sorts_as(value):
    return b"".join(encoded(value))[:96]


def inverted(data):
    return bytes(byte ^ 0xFF for byte in data)


def places():
    known = vectors("places.json")
    values = known["values_in_order"]
    for value in values:
        assert sorts_as(json.loads(value["json"])) == H(value["ascending"]), value["json"]
        assert inverted(H(value["ascending"])) == H(value["descending"])
    assert all(a["ascending"] < b["ascending"] for a, b in zip(values, values[1:]))
    for one, other in known["alike"]:
        assert sorts_as(json.loads(one)) == sorts_as(json.loads(other))
    assert sorts_as("x" * known["cut"]["a_string_of_x"]) == H(known["cut"]["ascending"])
    moment = struct.pack(">Q", known["document"]["created_at"]) + H(known["document"]["id"])
    for place in known["places"]:
        fields = place["canonical"].split(",")
        says = fields[-1] if fields[-1].startswith("_created_at:") else fields[0]
        tail = moment if says.endswith(":asc") else inverted(moment)
        assert H(place["place"]).endswith(tail), place["sort"]
    by = {(place["sort"], place["content"]): H(place["place"])[:-40] for place in known["places"]}
    assert by["", "{}"] == b"" and by["a", "{}"] == by["a", '{"a":null}'] == sorts_as(None)
    assert by["a", '{"a":[]}'] == b"\x08" and by["a:desc", '{"a":[]}'] == b"\xf7"
    assert by["a", '{"a":[2,"x",1]}'] == sorts_as(1)
    assert by["a:desc", '{"a":[2,"x",1]}'] == inverted(sorts_as("x"))
    assert by["a.b", '{"a":[{"b":9},{"b":[3,2]},{"b":5}]}'] == sorts_as(2)
    assert by["a.b", '{"a":[{"b":9},{},1]}'] == sorts_as(None)
    assert by["a.0", '{"a":[["x"],1]}'] == sorts_as(["x"])
    assert by["_key,_id:desc", "{}"] == sorts_as("profile") + inverted(sorts_as(known["document"]["id"]))


# ---- Section 7: HPKE (RFC 9180, base mode), envelopes

KEM, SUITE = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x03"


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def extract(suite, salt, label, material):
    return hmac256(salt or bytes(32), b"HPKE-v1" + suite + label + material)


def expand(suite, key, label, info, length):
    # No more than one block is asked for here.
    info = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    return hmac256(key, info + b"\x01")[:length]


def hpke_open(private, encapsulated, ciphertext, info):
    shared = exchange(private, encapsulated)
    context = encapsulated + x25519_public(private)
    shared = expand(KEM, extract(KEM, b"", b"eae_prk", shared), b"shared_secret", context, 32)
    context = b"\x00" + extract(SUITE, b"", b"psk_id_hash", b"")
    context += extract(SUITE, b"", b"info_hash", info)
    secret = extract(SUITE, shared, b"secret", b"")
    key = expand(SUITE, secret, b"key", context, 32)
    nonce = expand(SUITE, secret, b"base_nonce", context, 12)
    return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, b"")


def kdf(context, material):
    return blake3(material, derive_key_context=context).digest()


def padme(length):
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return length + mask & ~mask


def open_envelope(envelope, private, purpose, author, network):
    wire = Reader(envelope)
    ephemeral, slots, commitment, sealed = wire.take(32), wire.bytes(), wire.take(32), wire.bytes()
    wire.end()
    key = x25519_public(private)
    hint = kdf("taiinet/1 envelope hint", exchange(private, ephemeral) + ephemeral + key)[:4]
    (slot,) = [slots[n : n + 84] for n in range(0, len(slots), 84) if slots[n : n + 4] == hint]
    content_key = hpke_open(private, slot[4:36], slot[36:], purpose.encode() + author + network)
    assert blake3(ephemeral + slots, key=content_key).digest() == commitment
    cipher = ChaCha20Poly1305(kdf("taiinet/1 envelope content", content_key))
    padded = cipher.decrypt(bytes(12), sealed, commitment)
    content = padded.rstrip(b"\x00")
    assert content[-1] == 0x80 and padme(len(content)) == len(padded)
    return content[:-1]


def envelopes():
    known = vectors("envelopes.json")
    author, network = public(bytes([1] * 32)), known["network"].encode()
    assert bech32m("tn", author) == known["author"]
    for private, purpose in (
        (H(known["subscription_secret"]), "taiinet/1 envelope subscription"),
        (x25519_private(H(known["peer_seed"])), "taiinet/1 envelope identity"),
    ):
        opened = open_envelope(H(known["envelope"]), private, purpose, author, network)
        assert opened == H(known["content"])
    for padding in known["padding"]:
        assert padme(padding["content"] + 1) == padding["padded"]


# ---- Section 8: sessions (Noise_NN_25519_ChaChaPoly_SHA256, revision 34 of the Noise framework)


def sha256(data):
    return hashlib.sha256(data).digest()


def noise_hkdf(chaining_key, material):
    key = hmac256(chaining_key, material)
    first = hmac256(key, b"\x01")
    return first, hmac256(key, first + b"\x02")


def noise_nonce(number):
    return bytes(4) + struct.pack("<Q", number)


def sessions():
    known = vectors("sessions.json")
    for session in known["sessions"]:
        ours, theirs = H(session["key_of_dialler"]), H(session["key_of_other"])
        h = chaining_key = b"Noise_NN_25519_ChaChaPoly_SHA256"
        h = sha256(h + b"taiinet/1 session " + session["purpose"].encode())
        first = Reader(H(session["first"]))
        ephemeral, opening = first.take(32), first.data
        assert ephemeral == x25519_public(ours)
        h = sha256(sha256(h + ephemeral) + opening)
        opening = Reader(opening)
        assert opening.varint() == session["version"]
        assert opening.bytes() == session["dialled"].encode()
        opening.end()
        answer = Reader(H(session["answer"]))
        ephemeral, tag = answer.take(32), answer.take(16)
        answer.end()
        assert ephemeral == x25519_public(theirs)
        h = sha256(h + ephemeral)
        chaining_key, key = noise_hkdf(chaining_key, exchange(ours, ephemeral))
        assert ChaCha20Poly1305(key).encrypt(noise_nonce(0), b"", h) == tag
        h = sha256(h + tag)
        assert h == H(session["hash"])
        keys, counts = noise_hkdf(chaining_key, b""), [0, 0]
        for message in session["messages"]:
            way = 0 if message["forth"] else 1
            text = message["text"].encode()
            sealed = ChaCha20Poly1305(keys[way]).encrypt(noise_nonce(counts[way]), text, None)
            assert sealed == H(message["sealed"])
            counts[way] += 1
    declined = Reader(H(known["declined_full_for_20_s"]))
    assert (declined.varint(), declined.varint()) == (0, 20_000)
    declined.end()


# ---- Sections 9, 10, 12, 13, 14, 22 and 23: handshake, frames, presences, signals, joins, trees, routes


def signed(wire, domain):
    signer, signature, body = wire.take(32), wire.take(64), wire.bytes()
    verify(signer, domain, body, signature)
    return signer, Reader(body)


def handshake():
    known = vectors("handshake.json")
    prints = [text.split("sha-256 ")[1].strip() for text in known["descriptions"]]
    prints = sorted(H(text.replace(":", "")) for text in prints)
    binding = blake3(b"taiinet/1 channel" + b"".join(prints)).digest()
    assert binding == H(known["binding"])
    hellos = H(known["hello_of_offerer"]) + H(known["hello_of_answerer"])
    for role, name in ((1, "proof_of_offerer"), (0, "proof_of_answerer")):
        content = hellos + binding + bytes([role])
        assert content == H(known[name]["content"])
        frame = Reader(H(known[name]["frame"]))
        assert (frame.varint(), frame.varint()) == (1, 1)
        verify(public(H(known[name]["seed"])), "taiinet/1 hello", content, frame.take(64))
        frame.end()


def frames():
    known = vectors("frames.json")["frames"]
    assert Reader(H(known[0]["frame"])).varint() == 0, "a fragment is a group of its own"
    searches()
    groups = {1: 9, 2: 3, 3: 2, 4: 6, 5: 5, 6: 4, 7: 2, 8: 5, 9: 2}
    numbers = [(group, number) for group, count in groups.items() for number in range(count)]
    for number, example in zip(numbers, known[1:], strict=True):
        wire = Reader(H(example["frame"]))
        assert (wire.varint(), wire.varint()) == number, example["what"]
        if example["what"] == "keep":
            assert (wire.varint(), wire.varint()) == (3, 1), "a request of one document"
            wire.take(96), wire.bytes(), wire.end()
        if example["what"] == "took":
            assert wire.varint() == 3 and wire.bytes() == bytes(range(8)), "each outcome"
            wire.end()


def searches():
    """The same kinds of frames with other fields."""
    others = {x["what"]: Reader(H(x["frame"])) for x in vectors("frames.json")["others_of_the_same_kinds"]}
    hello = others["hello of an archive"]
    assert (hello.varint(), hello.varint(), hello.varint()) == (1, 0, 1)
    assert hello.varint() & 1, "bit 0 of the features"
    neighbour = others["neighbour with an archive"]
    assert (neighbour.varint(), neighbour.varint(), neighbour.take(1)) == (1, 2, b"\x01")
    _, presence = signed(neighbour, "taiinet/1 presence")
    presence.bytes(), presence.take(1), presence.varint(), presence.varint()
    assert presence.take(3) == b"\x00\x00\x01", "no address, no next key, an archive"
    presence.varint()
    texts = [[presence.bytes() for _ in range(presence.varint())] for _ in range(2)]
    assert texts == [[b'{"type":"tweet"}'], [b"likes"]]
    presence.end()
    find = others["find, in an order, from a place on"]
    assert (find.varint(), find.varint(), find.varint()) == (6, 0, 2)
    assert (find.bytes(), find.bytes()) == (b"{}", b"text:desc")
    assert find.bytes().startswith(inverted(sorts_as("hello"))) and find.varint() == 1
    find.end()
    more = others["found, and there is more"]
    assert (more.varint(), more.varint(), more.varint(), more.varint()) == (6, 1, 2, 1)
    more.take(96), more.bytes()
    assert more.take(1) == b"\x03" and more.bytes().startswith(inverted(sorts_as(None)))
    more.end()


def follows(wire):
    return optional(wire, lambda: (wire.take(32), wire.varint()))


def bulletin(wire):
    """Of the network of the vectors, in slot 0: its signer, and what it says."""
    root, said = signed(wire, "taiinet/1 bulletin")
    assert said.bytes() == b"vectors" and said.take(1) == b"\x00"
    says = {name: said.varint() for name in ("issued_at", "beat_ms", "peers")}
    says["spreading"] = said.take(1)[0]
    says["named"] = [(said.take(8), said.bytes()) for _ in range(said.varint())]
    said.end()
    return root, says


def trees():
    everything = vectors("frames.json")
    of = {f["what"]: Reader(H(f["frame"])) for f in everything["frames"] + everything["others_of_the_same_kinds"]}
    for frame in of.values():
        frame.varint(), frame.varint()
    known = {name: H(value) for name, value in everything["in_bulletin"].items()}
    about, wanted = (Reader(known[name]).bytes() for name in ("about", "wanted"))
    terms = [int.from_bytes(about[at : at + 8], "big") for at in range(0, len(about), 8)]
    assert terms == [whole(["text"], "hello")] and may_hold(groups_of(wanted), terms)
    (document,) = (f for f in everything["frames"] if f["what"] == "have")
    assert H(document["frame"])[3:].startswith(known["id"]), "the first bytes of the document's id"

    hello = of["hello of a peer with trees"]
    assert (hello.varint(), hello.varint()) == (1, 2), "bit 1 of the features"

    beacon = of["beacon"]
    assert beacon.take(1) == b"\x00"
    root, now = follows(beacon)
    assert root == known["root"] and optional(beacon, lambda: beacon.take(1)) == b"\x03"
    beacon.end()
    nowhere = of["beacon of one that follows no root"]
    assert nowhere.take(3) == b"\x00\x00\x00"
    nowhere.end()

    passed = of["bulletin"]
    assert passed.take(1) == b"\x02", "how deep its sender is"
    entry = (known["id"], about)
    says = {"issued_at": now, "beat_ms": 1000, "peers": 300, "spreading": 1, "named": [entry]}
    assert bulletin(passed) == (root, says)
    passed.end()
    for what, named in (
        ("bulletin of a document that may be about anything", [(known["id"], b"\x00")]),
        ("bulletin of nothing", []),
    ):
        of[what].take(1)
        assert bulletin(of[what]) == (root, {**says, "named": named})

    join = of["join"]
    assert join.take(1) == b"\x00" and follows(join) == (root, now)
    assert (join.varint(), join.varint(), optional(join, join.bytes)) == (70, 2, wanted)
    join.end()
    open_join = of["join of one that wants everything"]
    assert open_join.take(2) == b"\x00\x00"
    assert (open_join.varint(), open_join.varint(), optional(open_join, open_join.bytes)) == (1, 1, b"\x00")
    brings = of["brings, and wants what it wanted"]
    assert brings.take(1) == b"\x00"
    assert (brings.varint(), brings.varint(), optional(brings, brings.bytes)) == (71, 2, None)
    assert of["leave"].data == b"\x00" and of["wants"].bytes() == wanted
    ask = of["ask"]
    assert (ask.take(1), ask.take(8), ask.take(1)) == (b"\x00", known["id"], b"\x0b")

    for what, way, also in (("routed", b"\x00\x00", about), ("routed down", b"\x01\x00", None), ("routed aside", b"\x02", b"\x00")):
        wire = of[what]
        assert wire.take(len(way)) == way and wire.take(1) == b"\x03"
        assert optional(wire, wire.bytes) == also
        author, signature, body = wire.take(32), wire.take(64), wire.bytes()
        wire.end()
        verify(author, "taiinet/1 document", body, signature)

    for rank in everything["ranks"]:
        content = b"taiinet/1 root" + bytes([rank["slot"]]) + H(rank["peer"])
        assert blake3(content).digest()[:8] == H(rank["rank"])


def comparisons():
    known = vectors("frames.json")["compare"]
    hashes = [blake3(H(id), key=H(known["salt"])).digest() for id in known["ids"]]
    total = sum(int.from_bytes(digest[:16], "little") for digest in hashes) % 2**128
    assert total == int(known["sum"], 16)
    (compare,) = (f for f in vectors("frames.json")["frames"] if f["what"] == "compare")
    frame = Reader(H(compare["frame"]))
    assert (frame.varint(), frame.varint()) == (5, 0) and frame.take(32) == H(known["salt"])
    marks, sums = [(frame.varint(), frame.take(32))], []
    for _ in range(frame.varint()):
        marks.append((frame.varint(), frame.take(32)))
        sums.append((frame.varint(), frame.varint()))
    frame.end()
    assert marks == sorted(set(marks)) and sums == [(0, 0), (len(hashes), total)]
    archives()


def archives():
    known = vectors("frames.json")["compare"]
    of = {f["what"]: Reader(H(f["frame"])) for f in vectors("frames.json")["frames"]}
    inquire = of["inquire"]
    assert [inquire.varint() for _ in range(3)] == [5, 1, 1]
    salt = inquire.take(32)
    hashes = [blake3(H(id)[:16], key=salt).digest() for id in known["ids"]]
    total = sum(int.from_bytes(digest[:16], "little") for digest in hashes) % 2**128
    assert inquire.varint() == 1, "one stretch"
    inquire.varint(), inquire.take(32)
    sums = []
    for _ in range(inquire.varint()):
        inquire.varint(), inquire.take(32)
        sums.append((inquire.varint(), inquire.varint()))
    inquire.end()
    assert sums == [(0, 0), (len(hashes), total)]
    differs, want = of["differs"], of["want"]
    assert [differs.varint() for _ in range(8)][:7] == [5, 2, 1, 0, 2, 0, 0], "ids of the first"


def signals():
    for known in vectors("signals.json"):
        wire = Reader(H(known["signed"]))
        sender, body = signed(wire, "taiinet/1 signal")
        wire.end()
        network, to, _sent_at, sealed = body.bytes(), body.take(32), body.varint(), body.bytes()
        body.end()
        info = b"taiinet/1 signal" + sender + to + network
        opened = hpke_open(x25519_private(H(known["to_seed"])), sealed[:32], sealed[32:], info)
        assert opened == H(known["body"])


def signallers():
    known = vectors("signallers.json")
    to, of = ({x["what"]: x["frame"] for x in known[way]} for way in ("to_signaller", "from_signaller"))
    join = Reader(H(to["join"]))
    assert join.varint() == 0
    peer, presence = signed(join, "taiinet/1 presence")
    work = join.varint()
    join.end()
    session = H(known["session"])
    hashed = blake3(b"taiinet/1 work" + session + peer + struct.pack("<Q", work)).digest()
    assert int.from_bytes(hashed[:8], "big") >> 64 - known["work"]["bits"] == 0
    assert presence.bytes() == b"vectors" and presence.take(1) == b"\x01"
    assert presence.take(32) == public(H(known["signaller_seed"]))
    assert presence.take(32) == session
    issued_at, expires_at = presence.varint(), presence.varint()
    assert expires_at - issued_at == 600_000
    assert presence.take(3) == bytes(3), "no address, no next key, no archive"
    presence.end()
    signallers = Reader(H(of["signallers"]))
    assert (signallers.varint(), signallers.varint()) == (8, 1)
    _, presence = signed(signallers, "taiinet/1 presence")
    signallers.end()
    assert presence.bytes() == b"taiinet/signallers" and presence.take(1) == b"\x00"
    presence.varint(), presence.varint()
    assert optional(presence, presence.bytes) == b"wss://other.example"
    assert optional(presence, lambda: presence.take(32)) == bytes([7] * 32)
    assert presence.take(1) == b"\x00", "no archive"
    presence.end()
    welcome = Reader(H(of["welcome"]))
    assert welcome.varint() == 0
    verify(welcome.take(32), "taiinet/1 welcome", session, welcome.take(64))


# ---- Section 21: routing keys


def step(hashed, word):
    mask = (1 << 64) - 1
    hashed = ((hashed ^ word) + 0x9E3779B97F4A7C15) & mask
    hashed = (hashed ^ hashed >> 30) * 0xBF58476D1CE4E5B9 & mask
    hashed = (hashed ^ hashed >> 27) * 0x94D049BB133111EB & mask
    return hashed ^ hashed >> 31


def absorb(hashed, data):
    for at in range(0, len(data), 8):
        hashed = step(hashed, int.from_bytes(data[at : at + 8], "little"))
    return step(hashed, len(data))


def posit(ordered):
    """Of the bits of a float that are ordered like the numbers."""
    negative = not ordered >> 63
    bits = (ordered ^ ((1 << 64) - 1) if negative else ordered) & ((1 << 63) - 1)
    exponent, fraction = (bits >> 52) - 1023, bits & ((1 << 52) - 1)
    regime = exponent // 4
    text = "1" * (regime + 1) + "0" if regime >= 0 else "0" * -regime + "1"
    text += f"{exponent % 4:02b}{fraction:052b}"
    size = (1 << 63) - 1 if regime >= 62 else 0 if regime < -62 else int(text.ljust(63, "0")[:63], 2)
    return (1 << 63) - size if negative else (1 << 63) + size


LEVELS = {2: 38, 3: 38, 4: 38, 5: 38, 6: 38, 7: 1, 15: 0}


def short(path):
    begun = int.from_bytes(b"taiinet1", "big")
    for name in path:
        begun = absorb(begun, name.encode())
    return begun >> 48


def term(path, tag, code=0, level=99):
    """Of a code of 64 bits."""
    level = min(level, LEVELS[tag])
    return path << 48 | tag << 44 | (code >> 26 >> 38 - level << 38 - level) << 6 | level


def whole(path, value):
    """The term of one value."""
    key = sorts_as(value)
    code = absorb(int.from_bytes(b"taiinetv", "big"), key)
    if key[0] == 0x20:
        code = posit(int.from_bytes(key[1:9], "big"))
    if key[0] == 0x70:
        code = key[1] << 63
    return term(short(path), key[0] >> 4, code)


def all_values(path, value, several):
    """What a document has below a path, of few values."""
    each = [value, *value] if isinstance(value, list) else [value]
    found = {whole(path, one) for one in each if one is not None}
    if several or isinstance(value, list):
        found.add(term(short(path), 15))
    for inner in value if isinstance(value, list) else [value]:
        if isinstance(inner, dict):
            more = several or (isinstance(value, list) and len(value) > 1)
            for name, field in inner.items():
                if not name.isdigit() and "." not in name:
                    found |= all_values([*path, name], field, more)
    return found


def terms_of(key):
    data = bytes.fromhex(key)
    assert len(data) == 1 + 8 * data[0] and data[0] <= 2
    terms = [int.from_bytes(data[at : at + 8], "big") for at in range(1, len(data), 8)]
    for one in terms:
        assert term(one >> 48, one >> 44 & 15, one >> 6 << 26, one & 63) & (1 << 48) - 1 == one & (1 << 48) - 1
    return terms


def groups_of(data):
    """Of a set that is not everything: a dictionary from the terms without a code to the numbers."""
    bits = iter("".join(f"{byte:08b}" for byte in data))
    take = lambda count: int("0" + "".join(next(bits) for _ in range(count)), 2)
    groups = {}
    for _ in range(take(7) if data else 0):
        shape = [take(20) << 44 | take(6)]
        if take(1):
            shape.append(take(20) << 44 | take(6))
        hashed, count, least, numbers = take(6), take(13) + 1, 0, set()
        width = hashed or sum(one & 63 for one in shape)
        low = max(0, width - (count - 1).bit_length())
        for _ in range(count):
            high = 0
            while take(1):
                high += 1
            number = least + (high << low | take(low))
            assert number < 1 << width
            numbers.add(number)
            least = number + 1
        groups[tuple(shape)] = hashed, numbers
    assert set(bits) <= {"0"}
    return groups


def may_hold(groups, key):
    for shape, (hashed, numbers) in groups.items():
        # Each term of the shape with each of the key's that it may cover.
        choices = [0]
        for one in shape:
            level = one & 63
            fits = [own for own in key if own >> 44 == one >> 44 and level <= own & 63]
            own = [(other >> 6 & (1 << 38) - 1) >> 38 - level for other in fits]
            choices = [number << level | bits for number in choices for bits in own]
        if hashed:
            seed = int.from_bytes(b"taiinetk", "big")
            for one in (*shape, 0)[:2]:
                seed = step(seed, one)
            hashes = [step(step(seed, number & (1 << 64) - 1), number >> 64) for number in choices]
            choices = [number >> 64 - hashed for number in hashes]
        if not numbers.isdisjoint(choices):
            return True
    return False


def routing():
    known = vectors("routing.json")
    for document in known["documents"]:
        found = set()
        for name, value in json.loads(document["content"]).items():
            found |= all_values([name], value, False)
        sent = [one.to_bytes(8, "big")[: 8 if LEVELS[one >> 44 & 15] > 4 else 3] for one in sorted(found)]
        reader = Reader(bytes.fromhex(document["keys"]))
        assert reader.bytes() == b"".join(sent), document["content"]
    for query in known["queries"]:
        literal = json.loads(query["query"]).get("a")
        terms = [terms_of(key) for key in query["keys"]]
        if not isinstance(literal, dict) and literal is not None and "b" not in json.loads(query["query"]):
            assert terms == [[whole(["a"], literal)]], query["query"]
    forms = set()
    for known_set in known["sets"]:
        data = Reader(bytes.fromhex(known_set["set"])).bytes()
        assert len(data) <= known_set["most_bytes"]
        keys = [terms_of(key) for key in known_set["keys"]]
        if data == b"\0":
            assert [] in keys
            continue
        groups = groups_of(data)
        forms |= {hashed > 0 for hashed, _ in groups.values()}
        assert all(may_hold(groups, key) for key in keys) and (groups or not keys)
    assert forms == {False, True}


for check in (keys, documents, places, routing, envelopes, sessions, handshake, frames, trees, comparisons, signals, signallers):
    check()
print("all vectors hold")
