-- One row. A transaction that revokes takes its numbers from `counter` by its first statement: so numbers become
-- visible in order, and such transactions run one after the other.
CREATE TABLE trust_state (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- Raised by `auth-service recover`; verifiers forget what they knew of a lower one.
    epoch BIGINT NOT NULL,
    -- The highest revocation number ever given out.
    counter BIGINT NOT NULL
);

INSERT INTO trust_state (id, epoch, counter) VALUES (1, 1, 0);

-- What is trusted no longer. No foreign key to users: a floor outlives its user.
CREATE TABLE revocations (
    number INTEGER NOT NULL PRIMARY KEY,
    -- 1: one token, 2: the tokens of a user below a generation, 3: the tokens of a signing key.
    kind BIGINT NOT NULL CHECK (kind IN (1, 2, 3)),
    -- The 16 bytes of the jti or of the user's id, or the kid as text.
    subject BLOB NOT NULL,
    -- For users: the lowest generation that is still good.
    floor BIGINT,
    -- From when on all that it kills has expired. NULL: never.
    expires_at BIGINT
);

CREATE INDEX revocations_by_expiry ON revocations (expires_at);

-- Ed25519 keys that sign tokens.
CREATE TABLE signing_keys (
    -- The RFC 7638 thumbprint.
    kid TEXT NOT NULL PRIMARY KEY,
    public_key BLOB NOT NULL,
    -- The private seed, sealed if there is an AUTH_KEY_SECRET. NULL once the key is retired.
    private_key BLOB,
    created_at BIGINT NOT NULL,
    -- Published from the start, it signs from here on, so that every cache of the key set knows it by then.
    signs_from BIGINT NOT NULL,
    retired_at BIGINT
);
