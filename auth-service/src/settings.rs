//! Settings checked as a whole, before anything is opened.

use database::{ConnectOptions, Database, DatabaseUrl, MigrateMode};
use service_kit::{
    config::{ConfigError, Secret, TrustArgs, production::Production, resolve},
    process::StartError,
    server::GrpcConfig,
    tls::ListenerTls,
};

use crate::{
    AuthArgs,
    domain::{Email, Password, PasswordPolicy},
    keys::Sealer,
    store::{Store, migrations},
};

const SHORTEST_KEY_SECRET: usize = 32;

/// An administrator to make at the start.
#[derive(Clone, Debug)]
pub(crate) struct NewAdministrator {
    pub(crate) email: Email,
    pub(crate) password: Password,
}

impl AuthArgs {
    /// The database's URL, checked. It is not repeated in errors.
    pub(crate) fn database(&self) -> Result<DatabaseUrl, ConfigError> {
        let variable = "AUTH_DATABASE_URL";
        let url = resolve(variable, self.database_url.as_ref(), self.database_url_file.as_deref())?;
        let url = url.unwrap_or_else(|| Secret::new("sqlite://data/auth.db"));
        url.expose()
            .parse()
            .map_err(|error: database::Error| ConfigError::new(variable, error.to_string()))
    }

    /// What keeps it from production, if it is to be that.
    pub fn unfit(&self, trust: &TrustArgs) -> Vec<ConfigError> {
        if !self.production {
            return Vec::new();
        }
        Production::of("AUTH")
            .listener(self.listen, self.tls_cert.is_some(), self.allow_plaintext)
            .database(self.database().map(|url| url.is_shared()), self.replicas)
            .has(self.key_secret(true))
            .has(trust.required_service_tokens())
            .faults()
    }

    /// What seals keys in this database.
    pub(crate) fn sealer(&self, url: &DatabaseUrl) -> Result<Sealer, StartError> {
        let secret = self.key_secret(url.is_shared())?;
        Sealer::new(secret.as_ref()).map_err(|error| StartError::failed("making the key of the keys", error))
    }

    fn key_secret(&self, is_required: bool) -> Result<Option<Secret>, ConfigError> {
        let variable = "AUTH_KEY_SECRET";
        let secret = resolve(variable, self.key_secret.as_ref(), self.key_secret_file.as_deref())?;
        match secret {
            Some(secret) if secret.expose().len() < SHORTEST_KEY_SECRET => Err(ConfigError::new(
                variable,
                "any text of 32 bytes or more, such as `openssl rand -hex 32` prints",
            )),
            None if is_required => Err(ConfigError::new(
                variable,
                "a secret of 32 bytes or more with PostgreSQL and in production: it seals the signing keys in the \
                 database; AUTH_KEY_SECRET_FILE reads it from a file",
            )),
            secret => Ok(secret),
        }
    }

    /// The administrator to make, if one is asked for.
    pub(crate) fn administrator(&self) -> Result<Option<NewAdministrator>, ConfigError> {
        let variable = "AUTH_ADMIN_PASSWORD";
        let password = resolve(
            variable,
            self.admin_password.as_ref(),
            self.admin_password_file.as_deref(),
        )?;
        let (email, password) = match (&self.admin_email, password) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(ConfigError::new(variable, "the password of AUTH_ADMIN_EMAIL")),
            (None, Some(_)) => {
                return Err(ConfigError::new(
                    "AUTH_ADMIN_EMAIL",
                    "the address that AUTH_ADMIN_PASSWORD belongs to",
                ));
            }
            (Some(email), Some(password)) => (email, password),
        };
        let email = Email::parse(email)
            .map_err(|problem| ConfigError::new("AUTH_ADMIN_EMAIL", format!("an address: it {problem}")).got(email))?;
        let password = self
            .policy()
            .accept(password.expose(), Some(&email))
            .map_err(|problem| ConfigError::new(variable, format!("a good password: it {problem}")))?;
        Ok(Some(NewAdministrator { email, password }))
    }

    /// What new passwords must be like.
    pub(crate) fn policy(&self) -> PasswordPolicy {
        PasswordPolicy {
            min_length: self.password_min_length,
        }
    }

    pub(crate) fn grpc(&self) -> Result<GrpcConfig, ConfigError> {
        let tls = ListenerTls {
            role: "AUTH",
            cert: self.tls_cert.as_deref(),
            key: self.tls_key.as_deref(),
            client_ca: self.tls_client_ca.as_deref(),
        };
        Ok(GrpcConfig {
            role: "AUTH",
            listen: self.listen,
            ops_listen: self.ops_listen,
            tls: tls.server_config(&[b"h2"])?,
            reflection: self.reflection.unwrap_or(!self.production),
            limits: (&self.limits).into(),
        })
    }

    /// Opens the store, its schema brought up to date or checked.
    pub(crate) async fn open_store(&self, url: &DatabaseUrl) -> Result<Store, StartError> {
        let db = connect(url).await?;
        let mode: MigrateMode = self.migrate.unwrap_or_else(|| url.default_migrate_mode());
        migrations()
            .prepare(&db, mode, "auth-service migrate up")
            .await
            .map_err(refused)?;
        Ok(Store::new(db))
    }
}

/// Connects to the database, whatever its schema.
pub(crate) async fn connect(url: &DatabaseUrl) -> Result<Database, StartError> {
    Database::open(url, &ConnectOptions::default()).await.map_err(refused)
}

/// A store with one connection of its own for reading what is revoked: a flood of other calls does not keep it waiting.
pub(crate) async fn open_aside(url: &DatabaseUrl) -> Result<Store, StartError> {
    let options = ConnectOptions {
        connections: 1,
        ..ConnectOptions::default()
    };
    Database::open(url, &options).await.map(Store::new).map_err(refused)
}

/// Why the database keeps the service from starting. A text that says what to do is passed on as it is.
pub(crate) fn refused(error: database::Error) -> StartError {
    match error {
        database::Error::File { .. } | database::Error::Schema { .. } => StartError::Refused(error.to_string()),
        error => StartError::failed("opening the database", error),
    }
}
