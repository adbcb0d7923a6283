"""The grown database is a fixture of every test of plans."""

from tests.architecture.plans import connection, grown_database, plans

__all__ = ["connection", "grown_database", "plans"]
