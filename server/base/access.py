"""Actors and their permissions: citizens, organizers, the system; roles and scopes.

Pure: nothing here reads a database. Scopes arrive with resolved codes, so that this layer needs no
tree of places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Citizen:
    """A citizen authenticated by a token.

    `known_as` is a keyed hash of the openid. It stays the same when the row is erased and created
    again, so that an erasure does not reset rate limits.
    """

    id: int
    consented: bool = False
    known_as: str = ""
    # The hash of the token, for ending the session.
    session: str = field(default="", repr=False)
    # A keyed hash of the device's random id; empty when the request has none.
    device: str = field(default="", repr=False)

    @property
    def person(self) -> str:
        """The key under which rate limits count this person."""
        return self.known_as or f"citizen:{self.id}"


@dataclass(frozen=True, kw_only=True)
class System:
    """The system itself: a command or a background task, with its name."""

    name: str


# The verbs of permissions to confirm another organizer's work.
APPROVING_VERBS = frozenset({"approve", "seal", "publish", "decide", "release"})


class Permission(StrEnum):
    """One permission each, `<object>.<verb>`; roles are sets of them."""

    CONSOLE_OPEN = "console.open"
    QUESTION_READ = "question.read"
    QUESTION_KEY_READ = "question_key.read"
    QUESTION_WRITE = "question.write"
    QUESTION_APPROVE = "question.approve"
    CONTEST_READ = "contest.read"
    CONTEST_WRITE = "contest.write"
    CONTEST_APPROVE = "contest.approve"
    CONTEST_SEAL = "contest.seal"
    REPLY_READ = "reply.read"
    REPLY_WRITE = "reply.write"
    SCENE_READ = "scene.read"
    SCENE_WRITE = "scene.write"
    FIGURES_READ = "figures.read"
    PERSON_READ = "person.read"
    UNIT_READ = "unit.read"
    UNIT_WRITE = "unit.write"
    ORGANIZER_READ = "organizer.read"
    ORGANIZER_WRITE = "organizer.write"
    AUDIT_READ = "audit.read"
    HISTORY_READ = "history.read"
    HOLD_READ = "hold.read"
    HOLD_WRITE = "hold.write"
    HOLD_APPROVE = "hold.approve"
    REPORT_READ = "report.read"
    REPORT_WRITE = "report.write"
    VOID_WRITE = "void.write"
    VOID_APPROVE = "void.approve"
    ACTIVITY_READ = "activity.read"
    ACTIVITY_WRITE = "activity.write"
    ACTIVITY_APPROVE = "activity.approve"
    SIGNUP_READ = "signup.read"
    SIGNUP_WRITE = "signup.write"
    CHECKIN_READ = "checkin.read"
    CHECKIN_WRITE = "checkin.write"
    CERTIFICATE_READ = "certificate.read"
    CERTIFICATE_WRITE = "certificate.write"
    ANNOUNCEMENT_READ = "announcement.read"
    ANNOUNCEMENT_WRITE = "announcement.write"
    ANNOUNCEMENT_APPROVE = "announcement.approve"

    @property
    def subject(self) -> str:
        """The object of the permission: `question` of `question.write`."""
        return self.value.partition(".")[0]

    @property
    def approves(self) -> bool:
        """Whether the permission confirms another organizer's work."""
        return self.value.partition(".")[2] in APPROVING_VERBS

    @property
    def changes_something(self) -> bool:
        """Whether the permission is more than reading."""
        return self.value.partition(".")[2] not in ("read", "open")


class Role(StrEnum):
    """An organizer's role."""

    EDITOR = "editor"
    APPROVER = "approver"
    AUDITOR = "auditor"
    SYSTEM_ADMIN = "system_admin"


_P = Permission
_CONTENT_READ = frozenset(
    {
        _P.CONSOLE_OPEN,
        _P.QUESTION_READ,
        _P.CONTEST_READ,
        _P.REPLY_READ,
        _P.SCENE_READ,
        _P.FIGURES_READ,
        _P.UNIT_READ,
        _P.ACTIVITY_READ,
        _P.ANNOUNCEMENT_READ,
    }
)
# Separation of duties: an author of content approves none, an auditor changes nothing, a system
# administrator reads neither content nor persons. A test checks this table.
ROLES: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.EDITOR: _CONTENT_READ
        | {
            _P.QUESTION_KEY_READ,
            _P.QUESTION_WRITE,
            _P.CONTEST_WRITE,
            _P.REPLY_WRITE,
            _P.SCENE_WRITE,
            _P.PERSON_READ,
            _P.HISTORY_READ,
            _P.HOLD_READ,
            _P.HOLD_WRITE,
            _P.REPORT_READ,
            _P.REPORT_WRITE,
            _P.VOID_WRITE,
            _P.ACTIVITY_WRITE,
            _P.SIGNUP_READ,
            _P.SIGNUP_WRITE,
            _P.CHECKIN_READ,
            _P.CHECKIN_WRITE,
            _P.CERTIFICATE_READ,
            _P.CERTIFICATE_WRITE,
            _P.ANNOUNCEMENT_WRITE,
        },
        Role.APPROVER: _CONTENT_READ
        | {
            _P.QUESTION_KEY_READ,
            _P.QUESTION_APPROVE,
            _P.CONTEST_APPROVE,
            _P.CONTEST_SEAL,
            _P.PERSON_READ,
            _P.HISTORY_READ,
            _P.HOLD_READ,
            _P.HOLD_APPROVE,
            _P.REPORT_READ,
            _P.REPORT_WRITE,
            _P.VOID_APPROVE,
            _P.ACTIVITY_APPROVE,
            _P.ANNOUNCEMENT_APPROVE,
            _P.SIGNUP_READ,
            _P.CHECKIN_READ,
            _P.CERTIFICATE_READ,
        },
        Role.AUDITOR: _CONTENT_READ
        | {_P.ORGANIZER_READ, _P.AUDIT_READ, _P.HISTORY_READ, _P.HOLD_READ, _P.REPORT_READ},
        Role.SYSTEM_ADMIN: frozenset(
            {
                _P.CONSOLE_OPEN,
                _P.UNIT_READ,
                _P.UNIT_WRITE,
                _P.ORGANIZER_READ,
                _P.ORGANIZER_WRITE,
            }
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A place in the organisation tree, with the codes of all levels above it.

    Without codes it is the region. A county has the code of its city, a unit the codes of its city
    and county, if it has them.
    """

    city: str | None = None
    county: str | None = None
    unit_id: int | None = None

    @property
    def spelled(self) -> str:
        """The scope as boards spell it: `region`, `city:450100`, `county:450103`, `unit:7`."""
        if self.unit_id is not None:
            return f"unit:{self.unit_id}"
        if self.county is not None:
            return f"county:{self.county}"
        return "region" if self.city is None else f"city:{self.city}"

    @property
    def above(self) -> tuple[str, ...]:
        """The spelled scopes that contain this one, the region first."""
        found = [REGION.spelled]
        if self.city is not None:
            found.append(f"city:{self.city}")
        if self.county is not None:
            found.append(f"county:{self.county}")
        return tuple(one for one in found if one != self.spelled)

    def covers_scope(self, other: Scope) -> bool:
        """Whether `other` is this scope or below it."""
        return self.spelled == other.spelled or self.spelled in other.above


REGION = Scope()


@dataclass(frozen=True, kw_only=True)
class Organizer:
    """A user of the console; `place` is the name of the scope.

    `withheld` are permissions of the role that the account does not have for a while, because its
    password was recovered; `session` is the row id of the session, 0 without one.
    `network` is the address of the present request, for the audit trail; the frame sets it.
    """

    id: int
    name: str
    role: Role
    scope: Scope
    place: str
    ref: str = ""
    withheld: frozenset[Permission] = frozenset()
    session: int = field(default=0, repr=False)
    network: str = field(default="-", compare=False)

    @property
    def permissions(self) -> frozenset[Permission]:
        """The permissions of the role, without the withheld ones."""
        return ROLES[self.role] - self.withheld

    def has_permission(self, permission: Permission) -> bool:
        """Whether the role has a permission."""
        return permission in self.permissions


Actor = Citizen | Organizer | System
