"""Answers each line of JSON on standard input with one: what Python's cryptography makes of it."""

import base64
import json
import sys

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def answer(ask):
    do = ask["do"]
    if do == "encrypt":
        text = base64.b64decode(ask["text"])
        if "now" in ask:
            return Fernet(ask["key"]).encrypt_at_time(text, ask["now"]).decode()
        return Fernet(ask["key"]).encrypt(text).decode()
    if do == "decrypt":
        try:
            fernet = Fernet(ask["key"])
            token = ask["token"].encode()
            if "ttl" in ask:
                text = fernet.decrypt_at_time(token, ask["ttl"], ask["now"])
            else:
                text = fernet.decrypt(token)
            return base64.b64encode(text).decode()
        except InvalidToken:
            return None
    if do == "rotate":
        ring = MultiFernet([Fernet(key) for key in ask["keys"]])
        return ring.rotate(ask["token"].encode()).decode()
    if do == "open":
        raw = [base64.b64decode(ask[name]) for name in ("key", "salt", "info", "nonce", "sealed", "aad")]
        key, salt, info, nonce, sealed, aad = raw
        subkey = HKDF(hashes.SHA256(), 32, salt, info).derive(key)
        return base64.b64encode(AESGCM(subkey).decrypt(nonce, sealed, aad)).decode()
    raise ValueError(do)


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
