-- Made with the first signing key, and sealed like it: what the keys below are hashed with.
ALTER TABLE trust_state ADD COLUMN throttle_key BYTEA;

-- Failed logins in a row: a row for an account and another for the account seen from one client network. Addresses
-- that nobody registered have rows, too. The keys are keyed hashes.
CREATE TABLE login_failures (
    key BYTEA NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_attempt_at BIGINT NOT NULL
);

CREATE INDEX login_failures_by_age ON login_failures (last_attempt_at);

-- From where an account was logged in to. The key is that of the account seen from the network.
CREATE TABLE known_networks (
    key BYTEA NOT NULL PRIMARY KEY,
    last_login_at BIGINT NOT NULL
);

CREATE INDEX known_networks_by_age ON known_networks (last_login_at);
