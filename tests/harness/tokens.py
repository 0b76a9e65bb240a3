"""A provider of tokens: keys of its own, what it signs with them (RFC 7515), and the file in which it says so."""
import base64
import json
import time

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER, AUDIENCE = "https://id.example/realms/staff", "postern"


def b64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(n, octets):
    return b64url(n.to_bytes(octets, "big"))


class Key:
    def __init__(self, algorithm, kid):
        self.algorithm, self.kid = algorithm, kid
        self.private = rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        if self.algorithm == "RS256":
            which = {"kty": "RSA", "n": number(numbers.n, 256), "e": number(numbers.e, 3)}
        else:
            which = {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        return {**which, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def signature(self, octets):
        if self.algorithm == "RS256":
            return self.private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.private.sign(octets, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def jwks(*keys):
    return json.dumps({"keys": [key.jwk() for key in keys]})


def claims(user, **other):
    """A good token's; None takes one away."""
    now = int(time.time())
    made = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "email": user, "scope": "openid email", **other}
    return {name: value for name, value in made.items() if value is not None}


def joined(header, payload, sign):
    signed = f"{b64url(json.dumps(header).encode())}.{b64url(json.dumps(payload).encode())}"
    return f"{signed}.{b64url(sign(signed.encode()))}"


def token(key, user="alice", kid=None, **other):
    return joined({"alg": key.algorithm, "typ": "JWT", "kid": kid or key.kid}, claims(user, **other), key.signature)


def unsigned(user="alice"):
    return joined({"alg": "none", "typ": "JWT"}, claims(user), lambda octets: b"")


def with_secret(secret, kid, user="alice"):
    """HS256, by whoever knows the secret: the public key, say."""
    def sign(octets):
        digest = hmac.HMAC(secret, hashes.SHA256())
        digest.update(octets)
        return digest.finalize()

    return joined({"alg": "HS256", "typ": "JWT", "kid": kid}, claims(user), sign)


def oauthbearer(said, user=""):
    """The one message of OAUTHBEARER (RFC 7628 3.1), in base64."""
    name = f"a={user}" if user else ""
    return base64.b64encode(f"n,{name},\1host=localhost\1port=143\1auth=Bearer {said}\1\1".encode()).decode()


def xoauth2(said, user):
    return base64.b64encode(f"user={user}\1auth=Bearer {said}\1\1".encode()).decode()


def take_tokens(site, keys, **more):
    """store.conf says that the site takes what these keys sign; the path of their file."""
    path = f"{site.work}/jwks.json"
    with open(path, "w") as f:
        f.write(keys)
    for key, value in {"keys": path, "issuer": ISSUER, "audience": f"other {AUDIENCE}", **more}.items():
        site.configure("token", key, value)
    return path
