//! An auth service and a widget service that follows it, with databases of their own.

use std::time::Duration;

use bench::{
    Outcome,
    grpc::{bearer, with},
};
use database::Database;
use proto::{
    auth::v1::{GetCurrentUserRequest, RegisterRequest, auth_service_client::AuthServiceClient},
    widget::v1::{GetWidgetRequest, widget_service_client::WidgetServiceClient},
};
use tempfile::TempDir;
use test_kit::TestDatabase;
use tokio::time::sleep;
use tonic::{Code, Request, Status, metadata::AsciiMetadataValue};
use uuid::Uuid;

use super::rows::{add_widgets, patient};
use crate::role::Role;

const SERVICE_TOKEN: &str = "a-service-token-for-measuring-and-only-that";
const KEY_SECRET: &str = "a secret for sealing keys while measuring";

/// Both run as processes of the release binary, on PostgreSQL where there is one.
pub(crate) struct Pair {
    auth: Role,
    widget: Role,
    /// A user's token.
    pub(crate) bearer: AsciiMetadataValue,
    databases: [TestDatabase; 2],
    folder: TempDir,
}

/// How long it took from `exec` to the first answer that needs a complete view.
pub(crate) struct FirstAnswers {
    pub(crate) auth: Duration,
    pub(crate) widget: Duration,
}

impl Pair {
    /// Starts both, with a user and a widget.
    pub(crate) async fn start() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let databases = [database().await, database().await];
        let auth = start_auth(&folder, &databases[0]).await?;
        let account = RegisterRequest {
            email: "bench@example.com".into(),
            password: "a password for measuring only".into(),
            ..Default::default()
        };
        let mut client = AuthServiceClient::connect(auth.url.clone()).await?;
        let token = client.register(account).await?.into_inner().access_token;
        let widget = start_widget(&folder, &databases[1], &auth).await?;
        add_widgets(&patient(databases[1].url()).await?, 1, Uuid::nil()).await?;
        Ok(Self {
            auth,
            widget,
            bearer: bearer(&token)?,
            databases,
            folder,
        })
    }

    pub(crate) async fn auth_database(&self) -> Outcome<Database> {
        patient(self.databases[0].url()).await
    }

    pub(crate) fn engine(&self) -> &'static str {
        match self.databases[0].database().is_shared() {
            true => "PostgreSQL",
            false => "SQLite",
        }
    }

    pub(crate) fn widget_url(&self) -> &str {
        &self.widget.url
    }

    /// Resident memory of the auth service and of the widget service, in megabytes.
    pub(crate) fn memory(&self) -> Outcome<[f64; 2]> {
        Ok([self.auth.memory()?, self.widget.memory()?])
    }

    /// Starts both anew.
    pub(crate) async fn restart(&mut self) -> Outcome<FirstAnswers> {
        self.widget.stop().await?;
        self.auth.stop().await?;
        self.auth = start_auth(&self.folder, &self.databases[0]).await?;
        let client = AuthServiceClient::connect(self.auth.url.clone()).await?;
        let auth = until_answered(&self.auth, || {
            let (mut client, request) = (client.clone(), self.request(GetCurrentUserRequest {}));
            async move { client.get_current_user(request).await.map(drop) }
        });
        let auth = auth.await?;
        self.widget = start_widget(&self.folder, &self.databases[1], &self.auth).await?;
        let client = WidgetServiceClient::connect(self.widget.url.clone()).await?;
        let widget = until_answered(&self.widget, || {
            let name = "widget-1000000".into();
            let (mut client, request) = (client.clone(), self.request(GetWidgetRequest { name }));
            async move { client.get_widget(request).await.map(drop) }
        });
        let widget = widget.await?;
        Ok(FirstAnswers { auth, widget })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        with(&self.bearer, message)
    }
}

async fn database() -> TestDatabase {
    match TestDatabase::postgres().await {
        Some(database) => database,
        None => TestDatabase::sqlite().await,
    }
}

async fn start_auth(folder: &TempDir, database: &TestDatabase) -> Outcome<Role> {
    let settings = [
        ("AUTH_DATABASE_URL", database.url()),
        ("AUTH_MIGRATE", "auto"),
        ("AUTH_KEY_SECRET", KEY_SECRET),
        ("SERVICE_TOKEN", SERVICE_TOKEN),
    ];
    Role::start("auth", folder.path(), &settings).await
}

async fn start_widget(folder: &TempDir, database: &TestDatabase, auth: &Role) -> Outcome<Role> {
    let settings = [
        ("WIDGET_DATABASE_URL", database.url()),
        ("WIDGET_MIGRATE", "auto"),
        ("WIDGET_AUTH_URL", &auth.url),
        ("SERVICE_TOKEN", SERVICE_TOKEN),
    ];
    Role::start("widget", folder.path(), &settings).await
}

/// How old a service is when it first answers what it must not answer without a complete view.
async fn until_answered<F, A>(role: &Role, ask: F) -> Outcome<Duration>
where
    F: Fn() -> A,
    A: Future<Output = Result<(), Status>>,
{
    loop {
        match ask().await {
            Ok(()) => return Ok(role.age()),
            Err(status) if status.code() == Code::Unavailable => sleep(Duration::from_millis(5)).await,
            Err(status) => return Err(status.into()),
        }
    }
}
