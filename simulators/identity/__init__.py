"""A real OpenID provider on this machine, with people who do not exist: Keycloak, without Docker."""

from simulators.identity.keycloak import Keycloak, prepare_keycloak
from simulators.identity.realm import Member, Realm

__all__ = ["Keycloak", "Member", "Realm", "prepare_keycloak"]
