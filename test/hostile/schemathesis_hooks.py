"""Signs what schemathesis sends to the program, body-bound, and gives the operator's token."""

import base64
import hashlib
import hmac
import os
import time
import uuid

import requests
import schemathesis


class Signed(requests.auth.AuthBase):
    """Signs the request as it leaves: method, target and the bytes of the body."""

    def __call__(self, request):
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        target = request.path_url.replace("'", "%27")
        signed = f"{request.method} {target}\n".encode() + body
        timestamps, nonce = str(int(time.time())), uuid.uuid4().hex
        payload = hashlib.sha256(signed).hexdigest()
        key, text = os.environ["HOSTILE_SECRET"].encode(), (timestamps + nonce + payload).encode()
        digest = hmac.new(key, text, hashlib.sha256).hexdigest()
        request.headers.update(
            {
                "app_key": os.environ["HOSTILE_APP_KEY"],
                "nonce": nonce,
                "timestamps": timestamps,
                "payload": payload,
                "signature": base64.b64encode(digest.encode()).decode(),
                "authorization": "Bearer " + os.environ["HOSTILE_ADMIN_TOKEN"],
            }
        )
        return request


schemathesis.auth.set_from_requests(Signed())
