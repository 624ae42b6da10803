-- What happened to accounts, kept for AUTH_AUDIT_RETENTION.
CREATE TABLE audit_events (
    id UUID NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    -- The numbers of auth.v1.AuditEvent.Kind and .Outcome.
    kind BIGINT NOT NULL,
    outcome BIGINT NOT NULL,
    -- A user's id, `operator`, or empty. Text and no foreign keys: events outlive users.
    actor TEXT COLLATE "C" NOT NULL,
    -- A user's id, a kid, or empty.
    target TEXT COLLATE "C" NOT NULL,
    request_id TEXT NOT NULL,
    client TEXT NOT NULL
);

CREATE INDEX audit_events_by_time ON audit_events (at, id);

CREATE INDEX audit_events_by_actor ON audit_events (actor, at, id);

CREATE INDEX audit_events_by_target ON audit_events (target, at, id);
