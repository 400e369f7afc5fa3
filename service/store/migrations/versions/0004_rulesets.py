"""
Make the tables of rulesets, drafts, approvals and checks, with the triggers that put two persons
behind every version.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What each trigger of SQLite does; the functions of PostgreSQL below do the same.
SQLITE = {
    "ruleset_drafts_begin": """
AFTER INSERT ON ruleset_drafts BEGIN
  INSERT INTO ruleset_draft_saves (draft_id, revision, identity, name, at, digest)
  VALUES (NEW.id, NEW.revision, NEW.saved_by, NEW.saved_name, NEW.saved_at, NEW.digest);
END""",
    "ruleset_drafts_count": """
BEFORE UPDATE ON ruleset_drafts
WHEN NEW.revision <> OLD.revision + 1 OR NEW.id <> OLD.id OR NEW.agency <> OLD.agency
  OR NEW.name <> OLD.name
BEGIN SELECT RAISE(ABORT, 'every write of a draft is a save and counts one up'); END""",
    "ruleset_drafts_note": """
AFTER UPDATE ON ruleset_drafts BEGIN
  INSERT INTO ruleset_draft_saves (draft_id, revision, identity, name, at, digest)
  VALUES (NEW.id, NEW.revision, NEW.saved_by, NEW.saved_name, NEW.saved_at, NEW.digest);
END""",
    "ruleset_draft_saves_void": """
AFTER INSERT ON ruleset_draft_saves BEGIN
  DELETE FROM ruleset_approvals WHERE draft_id = NEW.draft_id;
END""",
    "ruleset_draft_saves_keep_update": """
BEFORE UPDATE ON ruleset_draft_saves
BEGIN SELECT RAISE(ABORT, 'who saved a draft is never changed'); END""",
    "ruleset_draft_saves_keep_delete": """
BEFORE DELETE ON ruleset_draft_saves
BEGIN SELECT RAISE(ABORT, 'who saved a draft is never changed'); END""",
    "ruleset_approvals_content": """
BEFORE INSERT ON ruleset_approvals
WHEN NOT EXISTS (SELECT 1 FROM ruleset_drafts AS d WHERE d.id = NEW.draft_id
  AND d.digest = NEW.digest AND d.revision = NEW.revision)
BEGIN SELECT RAISE(ABORT, 'an approval is of exactly what the draft holds'); END""",
    "ruleset_approvals_second": """
BEFORE INSERT ON ruleset_approvals
WHEN EXISTS (SELECT 1 FROM ruleset_draft_saves AS s WHERE s.draft_id = NEW.draft_id
  AND s.identity = NEW.approver)
BEGIN SELECT RAISE(ABORT, 'an author of a draft does not approve it'); END""",
    "ruleset_approvals_keep": """
BEFORE UPDATE OF draft_id, revision, digest, approver ON ruleset_approvals
BEGIN SELECT RAISE(ABORT, 'an approval is never changed'); END""",
    "ruleset_versions_approved": """
BEFORE INSERT ON ruleset_versions
WHEN NOT (
  (NEW.published_by = 'shipped' AND NEW.approver IS NULL AND NEW.version = 1)
  OR EXISTS (SELECT 1 FROM ruleset_approvals AS a JOIN ruleset_drafts AS d ON d.id = a.draft_id
    WHERE a.draft_id = NEW.draft_id AND a.digest = NEW.digest AND a.approver = NEW.approver
    AND d.digest = a.digest AND d.revision = a.revision
    AND d.agency = NEW.agency AND d.name = NEW.name
    AND d.content = NEW.content AND d.scenarios = NEW.scenarios))
BEGIN SELECT RAISE(ABORT, 'a version needs an approval of exactly its content'); END""",
    "ruleset_versions_next": """
BEFORE INSERT ON ruleset_versions
WHEN NEW.version <> 1 + COALESCE((SELECT MAX(version) FROM ruleset_versions
  WHERE agency = NEW.agency AND name = NEW.name), 0)
BEGIN SELECT RAISE(ABORT, 'versions are numbered without gaps'); END""",
    "ruleset_versions_keep_update": """
BEFORE UPDATE ON ruleset_versions
BEGIN SELECT RAISE(ABORT, 'a published version is never changed'); END""",
    "ruleset_versions_keep_delete": """
BEFORE DELETE ON ruleset_versions
BEGIN SELECT RAISE(ABORT, 'a published version is never changed'); END""",
}
# The same on PostgreSQL: when, on which table, and the body of its function.
POSTGRESQL = {
    "ruleset_drafts_note": (
        "AFTER INSERT OR UPDATE ON ruleset_drafts FOR EACH ROW",
        """
  INSERT INTO ruleset_draft_saves (draft_id, revision, identity, name, at, digest)
  VALUES (NEW.id, NEW.revision, NEW.saved_by, NEW.saved_name, NEW.saved_at, NEW.digest);
  RETURN NEW;""",
    ),
    "ruleset_drafts_count": (
        "BEFORE UPDATE ON ruleset_drafts FOR EACH ROW",
        """
  IF NEW.revision <> OLD.revision + 1 OR NEW.id <> OLD.id OR NEW.agency <> OLD.agency
    OR NEW.name <> OLD.name THEN
    RAISE integrity_constraint_violation
      USING MESSAGE = 'every write of a draft is a save and counts one up';
  END IF;
  RETURN NEW;""",
    ),
    "ruleset_draft_saves_void": (
        "AFTER INSERT ON ruleset_draft_saves FOR EACH ROW",
        """
  DELETE FROM ruleset_approvals WHERE draft_id = NEW.draft_id;
  RETURN NEW;""",
    ),
    "ruleset_draft_saves_keep": (
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON ruleset_draft_saves FOR EACH STATEMENT",
        """
  RAISE integrity_constraint_violation USING MESSAGE = 'who saved a draft is never changed';""",
    ),
    "ruleset_approvals_two": (
        "BEFORE INSERT ON ruleset_approvals FOR EACH ROW",
        """
  IF NOT EXISTS (SELECT 1 FROM ruleset_drafts AS d WHERE d.id = NEW.draft_id
    AND d.digest = NEW.digest AND d.revision = NEW.revision) THEN
    RAISE integrity_constraint_violation
      USING MESSAGE = 'an approval is of exactly what the draft holds';
  END IF;
  IF EXISTS (SELECT 1 FROM ruleset_draft_saves AS s WHERE s.draft_id = NEW.draft_id
    AND s.identity = NEW.approver) THEN
    RAISE integrity_constraint_violation
      USING MESSAGE = 'an author of a draft does not approve it';
  END IF;
  RETURN NEW;""",
    ),
    "ruleset_approvals_keep": (
        "BEFORE UPDATE OF draft_id, revision, digest, approver ON ruleset_approvals FOR EACH ROW",
        """
  RAISE integrity_constraint_violation USING MESSAGE = 'an approval is never changed';""",
    ),
    "ruleset_versions_approved": (
        "BEFORE INSERT ON ruleset_versions FOR EACH ROW",
        """
  IF NEW.version <> 1 + COALESCE((SELECT MAX(version) FROM ruleset_versions
    WHERE agency = NEW.agency AND name = NEW.name), 0) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'versions are numbered without gaps';
  END IF;
  IF NEW.published_by = 'shipped' AND NEW.approver IS NULL AND NEW.version = 1 THEN
    RETURN NEW;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM ruleset_approvals AS a JOIN ruleset_drafts AS d
    ON d.id = a.draft_id WHERE a.draft_id = NEW.draft_id AND a.digest = NEW.digest
    AND a.approver = NEW.approver AND d.digest = a.digest AND d.revision = a.revision
    AND d.agency = NEW.agency AND d.name = NEW.name
    AND d.content::text = NEW.content::text AND d.scenarios::text = NEW.scenarios::text) THEN
    RAISE integrity_constraint_violation
      USING MESSAGE = 'a version needs an approval of exactly its content';
  END IF;
  RETURN NEW;""",
    ),
    "ruleset_versions_keep": (
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON ruleset_versions FOR EACH STATEMENT",
        """
  RAISE integrity_constraint_violation
    USING MESSAGE = 'a published version is never changed';""",
    ),
}


def upgrade() -> None:
    """
    Make the tables and their triggers.
    """
    _make_versions()
    _make_drafts()
    _make_checks()
    if op.get_bind().dialect.name == "sqlite":
        for name, what in SQLITE.items():
            op.execute(sa.text(f"CREATE TRIGGER {name} {what.strip()}"))
        return
    for name, (when, body) in POSTGRESQL.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN{body}\nEND $$"
        )
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()")


def _make_versions() -> None:
    op.create_table(
        "ruleset_versions",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("scenarios", sa.JSON(), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("draft_id", sa.String(length=32), nullable=True),
        sa.Column("approver", sa.String(length=80), nullable=True),
        sa.Column("approver_name", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("accepts", sa.JSON(), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.Column("published_name", sa.Text(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["agencies.id"], name=op.f("fk_ruleset_versions_agency")
        ),
        sa.PrimaryKeyConstraint("agency", "name", "version", name=op.f("pk_ruleset_versions")),
    )
    op.create_table(
        "ruleset_live",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("set_by", sa.String(length=80), nullable=False),
        sa.Column("set_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency", "name", "version"],
            ["ruleset_versions.agency", "ruleset_versions.name", "ruleset_versions.version"],
            name=op.f("fk_ruleset_live_agency"),
        ),
        sa.PrimaryKeyConstraint("agency", "name", name=op.f("pk_ruleset_live")),
    )
    op.create_table(
        "ruleset_shipped",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["agencies.id"], name=op.f("fk_ruleset_shipped_agency")
        ),
        sa.PrimaryKeyConstraint("agency", "name", name=op.f("pk_ruleset_shipped")),
    )
    op.create_table(
        "ruleset_choices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("proposed_name", sa.Text(), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=True),
        sa.Column("approved_name", sa.Text(), nullable=True),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "approved_by IS NULL OR (approved_by <> proposed_by AND approved_by LIKE 'person:%')",
            name=op.f("ck_ruleset_choices_two_persons"),
        ),
        sa.ForeignKeyConstraint(
            ["agency", "name"],
            ["ruleset_live.agency", "ruleset_live.name"],
            name=op.f("fk_ruleset_choices_agency"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ruleset_choices")),
    )
    op.create_index("ix_ruleset_choices_agency", "ruleset_choices", ["agency"])


def _make_drafts() -> None:
    op.create_table(
        "ruleset_drafts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("scenarios", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(length=80), nullable=False),
        sa.Column("saved_name", sa.Text(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agencies.id"], name=op.f("fk_ruleset_drafts_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ruleset_drafts")),
        sa.UniqueConstraint("agency", "name", name=op.f("uq_ruleset_drafts_agency_name")),
    )
    op.create_table(
        "ruleset_draft_saves",
        sa.Column("draft_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", "revision", name=op.f("pk_ruleset_draft_saves")),
    )
    op.create_table(
        "ruleset_approvals",
        sa.Column("draft_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("approver", sa.String(length=80), nullable=False),
        sa.Column("approver_name", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("accepts", sa.JSON(), nullable=False),
        sa.Column("check_id", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("publish_at", Instant(), nullable=True),
        sa.Column("publish_by", sa.String(length=80), nullable=True),
        sa.Column("publish_name", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "approver LIKE 'person:%'", name=op.f("ck_ruleset_approvals_approver_is_a_person")
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["ruleset_drafts.id"],
            name=op.f("fk_ruleset_approvals_draft_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_ruleset_approvals")),
    )


def _make_checks() -> None:
    op.create_table(
        "ruleset_checks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("draft_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("scenarios_digest", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_name", sa.Text(), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("held_until", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agencies.id"], name=op.f("fk_ruleset_checks_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ruleset_checks")),
    )
    op.create_index(
        "ix_ruleset_checks_state_requested_at", "ruleset_checks", ["state", "requested_at"]
    )
    op.create_index(
        "ix_ruleset_checks_draft_id_digest", "ruleset_checks", ["draft_id", "digest"]
    )


def downgrade() -> None:
    """
    Remove the tables and their triggers.
    """
    for name in (
        "ruleset_checks",
        "ruleset_approvals",
        "ruleset_draft_saves",
        "ruleset_drafts",
        "ruleset_choices",
        "ruleset_shipped",
        "ruleset_live",
        "ruleset_versions",
    ):
        op.drop_table(name)
    if op.get_bind().dialect.name != "sqlite":
        for name in POSTGRESQL:
            op.execute(f"DROP FUNCTION {name}()")
