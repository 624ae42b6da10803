-- Who can log in. Times, here and in every table, are microseconds since the epoch.
CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    -- As it was written at registration.
    email TEXT COLLATE "C" NOT NULL,
    -- The same address in one canonical case and form: this is what is unique.
    email_key TEXT COLLATE "C" NOT NULL UNIQUE,
    -- A PHC string, Argon2id.
    password_hash TEXT NOT NULL,
    admin BOOLEAN NOT NULL,
    disabled BOOLEAN NOT NULL,
    -- Written into every token of the user. Raised, in one transaction with the floor in `revocations`, by everything
    -- that changes what the user may do.
    token_generation BIGINT NOT NULL,
    registered_at BIGINT NOT NULL
);

CREATE INDEX users_by_registration ON users (registered_at, id);

-- The last-administrator check counts these.
CREATE INDEX users_enabled_administrators ON users (id) WHERE admin AND NOT disabled;
