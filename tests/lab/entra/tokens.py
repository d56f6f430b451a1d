# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login side: client credentials in, signed access tokens out (OAuth 2.0, RFC 6749, RFC 7523)."""

from __future__ import annotations

import base64
import datetime
import hmac
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from .config import Application, Config
from .errors import unauthenticated

GRAPH = "https://graph.microsoft.com"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_THUMBPRINTS: Mapping[str, hashes.HashAlgorithm] = {"x5t": hashes.SHA1(), "x5t#S256": hashes.SHA256()}  # noqa: S303


class LoginError(Exception):
    """A refused token request: status, OAuth error, AADSTS number and text."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.error = error
        self.number = number
        self.text = text

    def body(self, correlation_id: str) -> dict[str, Any]:
        trace = str(uuid.uuid4())
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} "
            f"Correlation ID: {correlation_id} Timestamp: {moment}",
            "error_codes": [self.number],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }


def _bad_client(number: int, text: str) -> LoginError:
    return LoginError(401, "invalid_client", number, text)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls Graph."""

    app_id: str
    roles: frozenset[str]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenService:
    """Issues and verifies the access tokens of one tenant."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._key_id = uuid.uuid4().hex
        self._generation = 0
        self._seen: dict[str, float] = {}

    @property
    def _issuer(self) -> str:
        return f"{self._config.base_url}/{self._config.tenant_id}/v2.0"

    @property
    def token_endpoint(self) -> str:
        return f"{self._config.base_url}/{self._config.tenant_id}/oauth2/v2.0/token"

    def check_tenant(self, tenant: str) -> None:
        """Raise LoginError unless the name is the tenant's id or default domain."""
        if tenant.lower() not in (self._config.tenant_id, self._config.default_domain.lower()):
            raise LoginError(
                400,
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID "
                "and are signing into the correct cloud.",
            )

    def discovery(self) -> dict[str, Any]:
        base = f"{self._config.base_url}/{self._config.tenant_id}"
        return {
            "issuer": self._issuer,
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": self.token_endpoint,
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "EU",
        }

    def keys(self) -> dict[str, Any]:
        numbers = self._key.public_key().public_numbers()
        encoded = {
            name: _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
            for name, value in (("n", numbers.n), ("e", numbers.e))
        }
        return {"keys": [{"kty": "RSA", "use": "sig", "kid": self._key_id, **encoded}]}

    def issue(self, form: Mapping[str, str], lifetime: int) -> dict[str, Any]:
        """Answer a token request.

        Raises LoginError with the number that the service gives for each refusal.
        """
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                raise LoginError(400, "invalid_request", 900144, text)
        if form["grant_type"] != "client_credentials":
            text = f"The app requested an unsupported grant type '{form['grant_type']}'."
            raise LoginError(400, "unsupported_grant_type", 70003, text)
        application = self._config.applications.get(form["client_id"].lower())
        if application is None:
            text = f"Application with identifier '{form['client_id']}' was not found in the directory."
            raise LoginError(400, "unauthorized_client", 700016, text)
        # The own host counts as Graph too: clients derive the scope from the Graph URL they are given.
        if form["scope"] not in {f"{GRAPH}/.default", f"{self._config.base_url}/.default"}:
            text = f"The provided value for the input parameter 'scope' is not valid: {form['scope']}."
            raise LoginError(400, "invalid_scope", 70011, text)
        self._authenticate(application, form)
        method = "1" if "client_secret" in form else "2"
        token = self._sign(application, method, lifetime)
        return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}

    def _authenticate(self, application: Application, form: Mapping[str, str]) -> None:
        if "client_secret" in form:
            self._check_secret(application, form["client_secret"])
        elif form.get("client_assertion_type") == _ASSERTION_TYPE and "client_assertion" in form:
            self._check_assertion(application, form["client_assertion"])
        else:
            text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise _bad_client(7000218, text)

    @staticmethod
    def _check_secret(application: Application, secret: str) -> None:
        if application.secret is None or not hmac.compare_digest(application.secret.encode(), secret.encode()):
            text = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{application.app_id}'."
            )
            raise _bad_client(7000215, text)
        if application.secret_expired:
            text = f"The provided client secret keys for app '{application.app_id}' are expired."
            raise _bad_client(7000222, text)

    def _check_assertion(self, application: Application, assertion: str) -> None:
        invalid = "The certificate with identifier used to sign the client assertion is not registered on application."
        if application.certificate is None:
            raise _bad_client(700027, invalid)
        certificate = x509.load_pem_x509_certificate(application.certificate.encode())
        public_key = certificate.public_key()
        if not isinstance(public_key, rsa.RSAPublicKey):
            raise _bad_client(700027, invalid)
        try:
            header = jwt.get_unverified_header(assertion)
            named = {name: header[name] for name in _THUMBPRINTS if name in header}
            if not named or any(
                value.rstrip("=") != _base64url(certificate.fingerprint(_THUMBPRINTS[name]))
                for name, value in named.items()
            ):
                raise _bad_client(700027, invalid)
            claims = jwt.decode(
                assertion,
                public_key,
                algorithms=["RS256", "PS256"],
                audience=[self.token_endpoint, self._issuer],
                options={"require": ["exp", "iss", "sub", "aud", "jti"]},
            )
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            raise _bad_client(700024, "Client assertion is not within its valid time range.") from error
        except jwt.InvalidAudienceError as error:
            raise _bad_client(700023, "Client assertion audience claim does not match Realm issuer.") from error
        except jwt.PyJWTError as error:
            raise _bad_client(700027, f"Client assertion failed signature validation. {error}") from error
        if {claims["iss"], claims["sub"]} != {application.app_id}:
            text = "Client assertion application identifier doesn't match 'client_id' parameter."
            raise _bad_client(700021, text)
        self._refuse_replay(claims["jti"], claims["exp"])

    def _refuse_replay(self, token_id: str, expires: float) -> None:
        now = time.time()
        self._seen = {seen: until for seen, until in self._seen.items() if until > now}
        if token_id in self._seen:
            raise _bad_client(700027, "Client assertion with this 'jti' was presented before.")
        self._seen[token_id] = expires

    def _sign(self, application: Application, method: str, lifetime: int) -> str:
        now = int(time.time())
        claims = {
            "aud": GRAPH,
            "iss": f"https://sts.windows.net/{self._config.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "appid": application.app_id,
            "app_displayname": application.display_name,
            "appidacr": method,
            "idtyp": "app",
            "oid": str(uuid.uuid5(uuid.NAMESPACE_OID, application.app_id)),
            "sub": str(uuid.uuid5(uuid.NAMESPACE_OID, application.app_id)),
            "roles": sorted(application.roles),
            "tid": self._config.tenant_id,
            "uti": f"{self._generation}-{uuid.uuid4().hex}",
            "ver": "1.0",
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def revoke(self) -> None:
        """Make every access token issued so far invalid."""
        self._generation += 1

    def verify(self, authorization: str | None) -> Identity:
        """Check a bearer token.

        Raises GraphError (401) on a missing, foreign, expired or revoked one.
        """
        scheme, _unused, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated("Access token is empty.")
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=GRAPH,
                issuer=f"https://sts.windows.net/{self._config.tenant_id}/",
                options={"require": ["exp", "aud", "iss", "uti"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise unauthenticated("Lifetime validation failed, the token is expired.") from error
        except jwt.InvalidAudienceError as error:
            raise unauthenticated("Access token validation failure. Invalid audience.") from error
        except jwt.PyJWTError as error:
            raise unauthenticated("IDX10223: token validation failed.") from error
        if not claims["uti"].startswith(f"{self._generation}-"):
            raise unauthenticated("Continuous access evaluation resulted in challenge: the token was revoked.")
        return Identity(claims["appid"], frozenset(claims["roles"]))
