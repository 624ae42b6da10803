//! The two services in a process of their own. Here alone is the view that is always fresh: no binary that is shipped
//! has one.

use std::{future::pending, net::SocketAddr, sync::Arc};

use access_token::{SyncFuture, SyncSource, Trust, TrustConfig};
use auth_service::AuthArgs;
use bench::{
    Outcome,
    grpc::{bearer, with},
};
use clap::{Parser, ValueEnum};
use proto::{
    auth::v1::{
        LoginRequest, RegisterRequest, SyncRequest, SyncResponse, auth_service_client::AuthServiceClient,
        trust_service_client::TrustServiceClient,
    },
    widget::v1::{CreateWidgetRequest, Widget, widget_service_client::WidgetServiceClient},
};
use service_kit::{
    clock::{Clock, SystemClock},
    config::{HttpUrls, TrustArgs},
    telemetry,
    tls::UpstreamTlsArgs,
};
use widget_service::WidgetArgs;

const SERVICE_TOKEN: &str = "what-the-services-of-a-benchmark-show";
const PASSWORD: &str = "a password for measuring only";

/// What the widget service decides by.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum View {
    /// By what has been revoked, as shipped.
    Checked,
    /// By what had been revoked at the start: a view that nobody ever waits for.
    AlwaysFresh,
}

impl View {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::AlwaysFresh => "always-fresh",
        }
    }
}

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    widget: WidgetArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Serves for ever, on databases in the current folder. Says where the widget service and its metrics are, and a
/// user's token, a line each.
pub(crate) async fn serve(view: View) -> Outcome<()> {
    let _logs = telemetry::init()?;
    let free = ["auth-listen", "auth-ops-listen", "widget-listen", "widget-ops-listen"];
    let free = free.map(|listener| format!("--{listener}=127.0.0.1:0"));
    let settings = Settings::try_parse_from(
        ["services", "--service-token", SERVICE_TOKEN]
            .map(String::from)
            .iter()
            .chain(&free),
    )?;
    let Settings {
        auth,
        mut widget,
        trust,
    } = settings;

    let auth = auth_service::build(auth_service::Config::new(auth, trust.clone())).await?;
    let (auth_addr, administrator) = (auth.addr(), auth.first_administrator().await?);
    tokio::spawn(auth.run_until(pending()));
    let administrator = administrator.ok_or("the services have been started in this folder before")?;

    widget.auth_url = Some(HttpUrls(vec![format!("http://{auth_addr}").parse()?]));
    let config = widget_service::Config::new(widget, trust, UpstreamTlsArgs::default());
    let widget = match view {
        View::Checked => widget_service::build(config).await?,
        View::AlwaysFresh => widget_service::build_with_trust(config, always_fresh(auth_addr).await?).await?,
    };
    let (widget_addr, ops_addr) = (widget.addr(), widget.ops_addr());
    tokio::spawn(widget.run_until(pending()));

    let token = fill(
        auth_addr,
        widget_addr,
        &administrator.email,
        administrator.password.expose(),
    )
    .await?;
    println!("{widget_addr}\n{ops_addr}\n{token}");
    pending().await
}

/// What one Sync said, for ever.
struct Snapshot(SyncResponse);

impl SyncSource for Snapshot {
    fn sync(&self, _: SyncRequest) -> SyncFuture<'_> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

async fn always_fresh(auth: SocketAddr) -> Outcome<Trust> {
    let mut client = TrustServiceClient::connect(format!("http://{auth}")).await?;
    let answer = client
        .sync(with(&bearer(SERVICE_TOKEN)?, SyncRequest::default()))
        .await?;
    let config = TrustConfig {
        max_staleness: std::time::Duration::MAX,
        ..TrustConfig::default()
    };
    let source: Arc<dyn SyncSource> = Arc::new(Snapshot(answer.into_inner()));
    let now = Arc::new(|| SystemClock.now().timestamp());
    let (trust, _driver) = Trust::start(vec![source], config, now);
    Ok(trust)
}

/// Makes 50 widgets and a user, and gives the user's token.
async fn fill(auth: SocketAddr, widget: SocketAddr, email: &str, password: &str) -> Outcome<String> {
    let mut users = AuthServiceClient::connect(format!("http://{auth}")).await?;
    let mut widgets = WidgetServiceClient::connect(format!("http://{widget}")).await?;
    let admin = LoginRequest {
        email: email.into(),
        password: password.into(),
    };
    let admin = bearer(&users.login(admin).await?.into_inner().access_token)?;
    for number in 0..50 {
        let widget = Widget {
            name: format!("widget-{number}"),
            description: "A wheel with teeth that fits most machines of its time".into(),
            info_url: format!("https://example.com/widgets/{number}"),
            deadline: Some(prost_types::Timestamp {
                seconds: 4_102_401_600,
                nanos: 0,
            }),
            ..Widget::default()
        };
        let request = CreateWidgetRequest {
            widget: Some(widget),
            validate_only: false,
        };
        widgets.create_widget(with(&admin, request)).await?;
    }
    let user = RegisterRequest {
        email: "bench@example.com".into(),
        password: PASSWORD.into(),
        validate_only: false,
    };
    Ok(users.register(user).await?.into_inner().access_token)
}
