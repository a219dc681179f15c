"""What our hot paths are compared with: the least that a Flask app can do, and the usual peer."""

from __future__ import annotations

import os

from flask import Flask, Response, request

CALLBACK = "/wechat/official/callback"


def hello() -> Flask:
    """A view that does nothing."""
    app = Flask("hello")

    @app.get("/")
    def view() -> str:
        return "Hello"

    return app


def decoding() -> Flask:
    """A view that decodes pictures as a whole, in the thread that answers."""
    # Imported here, so that the other floors do not carry it.
    from PIL import Image, ImageOps

    app = Flask("decoding")

    @app.post("/api/v1/me/avatar")
    def view() -> Response:
        (file,) = request.files.values()
        with Image.open(file.stream) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
            ground = Image.new("RGB", upright.size, (255, 255, 255))
            ground.paste(upright, mask=upright.getchannel("A"))
            ImageOps.fit(ground, (256, 256))
        return Response(status=202)

    return app


def echo() -> Flask:
    """A safe-mode callback with wechatpy that says what it was told; it remembers nothing."""
    # Imported here, so that the other floors do not carry it.
    from wechatpy import create_reply, parse_message
    from wechatpy.crypto import WeChatCrypto
    from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
    from wechatpy.utils import check_signature

    token = os.environ["BENCH_TOKEN"]
    crypto = WeChatCrypto(token, os.environ["BENCH_AES_KEY"], os.environ["BENCH_APPID"])
    app = Flask("echo")

    @app.post(CALLBACK)
    def view() -> Response:
        told = request.args
        try:
            check_signature(token, told["signature"], told["timestamp"], told["nonce"])
            plain = crypto.decrypt_message(
                request.data, told["msg_signature"], told["timestamp"], told["nonce"]
            )
        except (InvalidSignatureException, InvalidAppIdException):
            return Response(status=403)
        message = parse_message(plain)
        reply = create_reply(message.content, message).render()
        sealed = crypto.encrypt_message(reply, told["nonce"], told["timestamp"])
        return Response(sealed, content_type="application/xml")

    return app
