"""One-time codes of an authenticator app (TOTP), and recovery codes.

A code is accepted one step early or late, and never twice. Source: RFC 6238, section 5.2.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime

import pyotp
import segno
from sqlalchemy import delete, func, select

from server.base.signing import Keys
from server.base.uow import UnitOfWork
from server.organizers.models import OrganizerAccount, RecoveryCode
from server.organizers.rules import RECOVERY_CODES

ISSUER = "八桂科普"
_STEP_SECONDS = 30
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_LONG = 10


def derived_secret(keys: Keys, source: str) -> str:
    """The secret that a page offers before it is stored: the same at every reload of the page."""
    raw = bytes.fromhex(keys.blind_hash(source, "organizers.totp"))[:20]
    return base64.b32encode(raw).decode()


def app_address(secret: str, username: str) -> str:
    """The address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def qr_picture(address: str) -> str:
    """A QR code as the address of an inline picture."""
    return str(segno.make(address, error="m").svg_data_uri(scale=5, border=2))


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, or None.

    Units: steps of 30 seconds since 1970.
    """
    if _CODE.fullmatch(code) is None:
        return None
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // _STEP_SECONDS
    steps = [current + shift for shift in (-1, 0, 1)]
    # All three are compared, so that the time does not depend on which one matches.
    right = [hmac.compare_digest(totp.generate_otp(step), code) for step in steps]
    return next((step for step, fits in zip(steps, right, strict=True) if fits), None)


def seal_secret(keys: Keys, secret: str, ref: str) -> str:
    """Encrypt a secret for its account."""
    return keys.seal_text(secret, _sealing_place(ref))


def accept_code(uow: UnitOfWork, account: OrganizerAccount, given: str) -> bool:
    """Whether a code of the app or a recovery code is right; it cannot be used again.

    Locks: the caller holds the account's row.
    """
    if account.totp_secret is None:
        return False
    code = "".join(given.split()).lower().replace("-", "")
    if len(code) == _LONG:
        return _use_recovery_code(uow, account, code)
    step = matching_step(
        uow.keys.unseal_text(account.totp_secret, _sealing_place(account.ref)), code, uow.system_now
    )
    if step is None or (account.totp_step is not None and step <= account.totp_step):
        return False
    account.totp_step = step
    return True


def renew_recovery_codes(uow: UnitOfWork, organizer_id: int, ref: str) -> list[str]:
    """Replace all recovery codes of an account; return the new ones, to be shown once."""
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(_LONG)) for _ in range(RECOVERY_CODES)]
    uow.session.execute(delete(RecoveryCode).where(RecoveryCode.organizer_id == organizer_id))
    uow.session.add_all(
        RecoveryCode(organizer_id=organizer_id, code_hash=_code_hash(uow.keys, ref, code))
        for code in codes
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def count_recovery_codes(uow: UnitOfWork, organizer_id: int) -> int:
    """How many recovery codes are left."""
    mine = select(func.count()).where(RecoveryCode.organizer_id == organizer_id)
    return uow.session.scalar(mine) or 0


def _use_recovery_code(uow: UnitOfWork, account: OrganizerAccount, code: str) -> bool:
    used = delete(RecoveryCode).where(
        RecoveryCode.organizer_id == account.id,
        RecoveryCode.code_hash == _code_hash(uow.keys, account.ref, code),
    )
    return bool(uow.session.execute(used.returning(RecoveryCode.id)).all())


def _code_hash(keys: Keys, ref: str, code: str) -> str:
    return keys.blind_hash(f"{ref}:{code}", "organizers.recovery")


def _sealing_place(ref: str) -> str:
    return f"organizer.totp_secret:{ref}"
