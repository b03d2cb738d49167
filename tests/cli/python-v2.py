"""Python v2.0's side of Redis, by python3-redis and python3-cryptography: answers each line of JSON on
standard input with one."""

import base64
import hashlib
import json
import sys
from datetime import datetime, timedelta

import redis
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

PREFIX = "agent:session:"
BEGIN = datetime(2023, 3, 4, 5, 6, 7, 891011)


def cipher_of(key):
    """As v2.0 took its key: a Fernet key, or else a password."""
    if key is None:
        return None
    try:
        return Fernet(key.encode())
    except ValueError:
        salt = b"customer_support_ai_salt_v1"
        kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=100000)
        return Fernet(base64.urlsafe_b64encode(kdf.derive(key.encode())))


def stored(cipher, record):
    text = json.dumps(record)
    if cipher is None:
        return text
    return base64.b64encode(cipher.encrypt(text.encode("utf-8"))).decode("utf-8")


def metadata_of(n):
    if n % 5 == 0:
        return {}
    return {
        "plan": "größer – 日本 \u2028" if n % 2 else "pro",
        "score": n / 7,
        "big": 2**53 - 1 - n,
        "nothing": None,
        "nested": {"list": [1, "two", [3.5, False], {}], "n": n, "text": 'a "quoted" \\ text'},
    }


def record_of(n):
    created = BEGIN + timedelta(seconds=61 * n, microseconds=0 if n % 3 else -891011)
    updated = created + timedelta(seconds=n % 1000, microseconds=1)
    session = f"session-{n}"
    return {
        "session_id": session,
        "user_id": None if n % 10 == 9 else f"user:{n % 701}@example.org",
        "thread_id": f"thread_{n}",
        "message_count": n % 43,
        "escalated": n % 7 == 0,
        "metadata": metadata_of(n),
        "request_id": None if n % 4 == 3 else f"req-{n}",
        "created_at": created.isoformat(),
        "updated_at": updated.isoformat(),
        "last_activity": (updated + timedelta(milliseconds=5)).isoformat(),
        "fingerprint": hashlib.sha256(session.encode()).hexdigest(),
    }


def fill(client, cipher, count):
    """Sessions as v2.0 sets them. Every 50th has no end."""
    for start in range(0, count, 500):
        pipe = client.pipeline()
        for n in range(start, min(start + 500, count)):
            record = record_of(n)
            key = PREFIX + record["session_id"]
            if n % 50 == 49:
                pipe.set(key, stored(cipher, record))
            else:
                pipe.set(key, stored(cipher, record), ex=3600 + 30 * n)
            pipe.sadd(PREFIX + "active", record["session_id"])
        pipe.execute()
    return [record_of(n) for n in range(count)]


# In the clear v2.0 let Redis do it: cjson writes 14 digits, and in an order of its own.
UPDATE = """
local record = cjson.decode(redis.call('GET', KEYS[1]))
for name, value in pairs(cjson.decode(ARGV[1])) do record[name] = value end
redis.call('SET', KEYS[1], cjson.encode(record), 'KEEPTTL')
"""


def update(client, cipher, n, changes):
    """As v2.0 updates a session: its time to live stays."""
    record = record_of(n)
    key = PREFIX + record["session_id"]
    if cipher is None:
        client.eval(UPDATE, 1, key, json.dumps(changes))
        return json.loads(client.get(key))
    record.update(changes)
    client.set(key, stored(cipher, record), keepttl=True)
    return record


def answer(ask):
    client = redis.Redis.from_url(ask["url"], decode_responses=True)
    cipher = cipher_of(ask.get("key"))
    if ask["do"] == "fill":
        return fill(client, cipher, ask["count"])
    if ask["do"] == "update":
        return update(client, cipher, ask["n"], ask["changes"])
    if ask["do"] == "put":
        client.set(PREFIX + ask["id"], stored(cipher, ask["record"]), ex=3600)
        return None
    if ask["do"] == "read":
        return read(client, cipher)
    raise ValueError(ask["do"])


def read(client, cipher):
    """All sessions as v2.0 would read them, and the active ones."""
    records = {}
    for key in client.scan_iter(match=PREFIX + "*", _type="string"):
        value = client.get(key)
        session = key[len(PREFIX):]
        if not session.startswith("session-"):
            continue
        if cipher is not None:
            value = cipher.decrypt(base64.b64decode(value)).decode("utf-8")
        records[session] = json.loads(value)
    return {"records": records, "active": sorted(client.smembers(PREFIX + "active"))}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
