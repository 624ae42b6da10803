-- What happened to accounts, kept for AUTH_AUDIT_RETENTION.
CREATE TABLE audit_events (
    id BLOB NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    -- The numbers of auth.v1.AuditEvent.Kind and .Outcome.
    kind BIGINT NOT NULL,
    outcome BIGINT NOT NULL,
    -- A user's id, `operator`, or empty. Text and no foreign keys: events outlive users.
    actor TEXT NOT NULL,
    -- A user's id, a kid, or empty.
    target TEXT NOT NULL,
    request_id TEXT NOT NULL,
    client TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX audit_events_by_time ON audit_events (at, id);

CREATE INDEX audit_events_by_actor ON audit_events (actor, at, id);

CREATE INDEX audit_events_by_target ON audit_events (target, at, id);
