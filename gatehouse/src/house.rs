//! All roles in one process. They talk gRPC over loopback, as they would between machines.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use auth_service::{AuthArgs, FirstAdministrator};
use clap::Args;
use gateway::{GatewayArgs, Upstreams, cors::Cors};
use http::Uri;
use service_kit::{
    config::{HttpUrls, Secret, TrustArgs, production},
    process::StartError,
    tls::UpstreamTlsArgs,
};
use tokio::{sync::oneshot, task::JoinSet};
use uuid::Uuid;
use widget_service::WidgetArgs;

/// The settings of every role.
#[derive(Debug, Clone, Args)]
pub struct HouseArgs {
    /// The auth service's.
    #[command(flatten)]
    pub auth: AuthArgs,
    /// The widget service's.
    #[command(flatten)]
    pub widget: WidgetArgs,
    /// The gateway's.
    #[command(flatten)]
    pub gateway: GatewayArgs,
    /// What the services share.
    #[command(flatten)]
    pub trust: TrustArgs,
    /// How https:// upstreams are called.
    #[command(flatten)]
    pub upstream_tls: UpstreamTlsArgs,
}

impl HouseArgs {
    /// With what follows from the rest, if it is fit for what it is to be.
    fn complete(mut self) -> Result<Self, StartError> {
        let tokens = self.trust.service_tokens();
        if matches!(tokens.as_deref(), Ok([])) {
            self.trust.service_token = Some(random_secret());
        }
        if !self.gateway.production {
            self.gateway.cors_origins.get_or_insert(Cors::Any);
        }
        self.count_replicas();
        let Self {
            auth,
            widget,
            gateway,
            trust,
            ..
        } = &self;
        production::judge([auth.unfit(trust), widget.unfit(trust), gateway.unfit()].concat())?;
        tokens?;
        Ok(self)
    }

    /// Who is called at several URLs has as many replicas.
    fn count_replicas(&mut self) {
        let upstreams = |package| self.gateway.upstreams.as_ref().and_then(|all| all.of(package));
        let for_widgets = self.widget.auth_url.as_ref().map(|urls| urls.0.as_slice());
        let count = |urls: Option<&[Uri]>| urls.map_or(1, |urls| u32::try_from(urls.len()).unwrap_or(u32::MAX));
        let auth = count(for_widgets).max(count(upstreams("auth.v1")));
        let widget = count(upstreams("widget.v1"));
        self.auth.replicas = self.auth.replicas.max(auth);
        self.widget.replicas = self.widget.replicas.max(widget);
    }
}

/// A house whose listeners are bound.
pub struct House {
    auth: auth_service::Server,
    widget: widget_service::Server,
    gateway: gateway::Server,
    first_administrator: Option<FirstAdministrator>,
}

impl House {
    /// Opens the databases and binds the listeners. What is not set follows from what is: the service token is random,
    /// and the roles find each other where they were bound.
    ///
    /// # Errors
    /// When a setting cannot be used, a port is taken or a database cannot be opened.
    pub async fn build(args: HouseArgs) -> Result<Self, StartError> {
        let HouseArgs {
            auth,
            mut widget,
            mut gateway,
            trust,
            upstream_tls,
        } = args.complete()?;
        let (auth_tls, widget_tls) = (auth.tls_cert.is_some(), widget.tls_cert.is_some());
        let names_administrator = auth.admin_email.is_some();

        let auth = auth_service::build(auth_service::Config::new(auth, trust.clone())).await?;
        let auth_url = local_url(auth_tls, auth.addr())?;
        widget.auth_url.get_or_insert(HttpUrls(vec![auth_url.clone()]));
        let widget = widget_service::build(widget_service::Config::new(widget, trust, upstream_tls.clone())).await?;
        let widget_url = local_url(widget_tls, widget.addr())?;
        let local =
            [("auth.v1", auth_url), ("widget.v1", widget_url)].map(|(package, url)| (package.to_owned(), vec![url]));
        gateway.upstreams.get_or_insert(Upstreams(local.into()));
        let gateway = gateway::build(gateway::Config::new(gateway, upstream_tls)).await?;

        let first_administrator = if names_administrator {
            None
        } else {
            auth.first_administrator().await?
        };
        Ok(Self {
            auth,
            widget,
            gateway,
            first_administrator,
        })
    }

    /// Where REST is served.
    pub fn rest_addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// Where the auth service listens.
    pub fn auth_addr(&self) -> SocketAddr {
        self.auth.addr()
    }

    /// Where the widget service listens.
    pub fn widget_addr(&self) -> SocketAddr {
        self.widget.addr()
    }

    /// The administrator that this first start made, with its password.
    pub fn first_administrator(&self) -> Option<&FirstAdministrator> {
        self.first_administrator.as_ref()
    }

    /// What a newcomer needs to know, a line each.
    pub fn greeting(&self) -> Vec<String> {
        let rest = format!("http://{}", self.gateway.addr());
        let mut lines = vec![
            format!("REST {rest}"),
            format!("docs {rest}/docs"),
            format!("auth grpc://{}", self.auth.addr()),
            format!("widget grpc://{}", self.widget.addr()),
        ];
        if let Some(FirstAdministrator { email, password }) = &self.first_administrator {
            lines.push(format!("admin {email} password: {}", password.expose()));
        }
        lines.push(format!(
            "curl -s {rest}/api/v1/auth/register -d email=you@example.com -d 'password=correct horse battery staple'"
        ));
        lines
    }

    /// Serves until `stop` completes, then drains: first the gateway, then the services behind it.
    ///
    /// # Errors
    /// When a role fails; the others are stopped.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let mut running = JoinSet::new();
        let (stop_auth, auth_stopped) = oneshot::channel::<()>();
        let (stop_widget, widget_stopped) = oneshot::channel::<()>();
        let (stop_gateway, gateway_stopped) = oneshot::channel::<()>();
        running.spawn(self.auth.run_until(until(auth_stopped)));
        running.spawn(self.widget.run_until(until(widget_stopped)));
        running.spawn(self.gateway.run_until(until(gateway_stopped)));

        let early = tokio::select! {
            () = stop => None,
            ended = running.join_next() => ended,
        };
        let mut outcome = early.map_or(Ok(()), flatten);
        for stop in [stop_gateway, stop_widget, stop_auth] {
            drop(stop);
            if let Some(ended) = running.join_next().await {
                outcome = outcome.and(flatten(ended));
            }
        }
        outcome
    }
}

async fn until(stopped: oneshot::Receiver<()>) {
    // Nothing is ever sent: the other half is dropped.
    let _ = stopped.await;
}

fn flatten(ended: Result<Result<(), StartError>, tokio::task::JoinError>) -> Result<(), StartError> {
    ended.unwrap_or_else(|error| Err(StartError::failed("running the house", error)))
}

/// Where a role of this process is reached: its bound address, or loopback when it listens on every address.
fn local_url(tls: bool, addr: SocketAddr) -> Result<Uri, StartError> {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", reachable(addr))
        .parse()
        .map_err(|error| StartError::failed("naming a role of the house", error))
}

/// Who listens on every address is called on loopback.
pub(crate) fn reachable(mut addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    addr
}

fn random_secret() -> Secret {
    Secret::new(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
}
