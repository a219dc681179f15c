"""The published final ranks and the key that signs them, for public verification."""

from __future__ import annotations

from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.quiz.contests import service as contests
from server.quiz.sealing import service as sealing
from server.quiz.sealing.schemas import FinalVersionOut, SigningKeyOut

FINAL_API = Api("final ranks")


@endpoint(FINAL_API, "GET", "/signing-key", who=Who.ANYONE, out=SigningKeyOut)
def show_signing_key(uow: UnitOfWork) -> SigningKeyOut:
    """Show the public key that verifies the signatures of final ranks."""
    return SigningKeyOut(algorithm="Ed25519", public_key=uow.keys.final_ranks_key)


@endpoint(
    FINAL_API,
    "GET",
    "/contests/<ref>/final",
    who=Who.ANYONE,
    out=FinalVersionOut,
    errors=(NotFound,),
)
def show_final_version(uow: UnitOfWork, ref: str) -> FinalVersionOut:
    """Show the signed document of a contest's published final ranks; 404 before the publication."""
    final = contests.find_contest(uow, ref).final
    if final is None:
        raise NotFound
    version = sealing.version_by_id(uow, final.id)
    return FinalVersionOut(
        version=final.number,
        published_at=final.published_at,
        total=version.rank_count,
        document=version.document.decode(),
        signature=version.signature,
        public_key=version.public_key,
    )
