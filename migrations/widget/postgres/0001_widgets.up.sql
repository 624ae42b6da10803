-- Widgets. Times are microseconds since the epoch, so that they sort. Names compare byte by byte, as on SQLite.
CREATE TABLE widgets (
    name        TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    description TEXT   NOT NULL,
    info_url    TEXT   NOT NULL,
    deadline    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    -- A user of the auth service, in another database: no foreign key, and the user may be gone.
    owner_id    UUID   NOT NULL,
    -- Random, and new with every change: the etag, and what an update must still find.
    revision    UUID   NOT NULL
);

-- One per order that a list can have. The name makes each order total: a page starts at a place in the index.
CREATE INDEX widgets_by_created_at ON widgets (created_at, name);
CREATE INDEX widgets_by_updated_at ON widgets (updated_at, name);
CREATE INDEX widgets_by_deadline ON widgets (deadline, name);
