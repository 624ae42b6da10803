//! The command line: `gateway [serve] | routes | openapi`.

use clap::{Parser, Subcommand};
use service_kit::{
    process::{StartError, say, stop_signal},
    tls::UpstreamTlsArgs,
};

use crate::{
    config::{Config, GatewayArgs},
    openapi,
    route::{Body, Route, Routes},
    server,
};

/// JSON/HTTP to gRPC and back, from descriptors alone
#[derive(Debug, Clone, Parser)]
#[command(name = "gateway", version)]
pub struct Cli {
    /// The gateway's settings.
    #[command(flatten)]
    pub gateway: GatewayArgs,

    /// TLS towards the services.
    #[command(flatten)]
    pub upstream_tls: UpstreamTlsArgs,

    /// What to do: serve, unless said otherwise.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the gateway can do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve REST (the default)
    Serve,
    /// Print the table of routes
    Routes,
    /// Print the OpenAPI document
    Openapi,
}

impl From<Cli> for Config {
    fn from(cli: Cli) -> Self {
        Self::new(cli.gateway, cli.upstream_tls)
    }
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// When a setting cannot be used or serving fails.
    pub async fn run(self) -> Result<(), StartError> {
        match self.command.clone().unwrap_or(Command::Serve) {
            Command::Serve => {
                let server = server::build(self.into()).await?;
                say(format_args!("REST http://{}", server.addr()));
                server.run_on_cores_until(stop_signal()?).await
            }
            Command::Routes => {
                say(table(&server::routes(&self.gateway)?).trim_end());
                Ok(())
            }
            Command::Openapi => {
                let document = openapi::document(&server::routes(&self.gateway)?);
                say(format_args!("{document:#}"));
                Ok(())
            }
        }
    }
}

/// The routes as a table for people: method, path, who may call, body, gRPC method.
pub fn table(routes: &Routes) -> String {
    let rows: Vec<[String; 5]> = routes.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let line = |[method, path, access, body, grpc]: &[String; 5]| {
        let [a, b, c, d] = widths;
        format!("{method:a$}  {path:b$}  {access:c$}  {body:d$}  {grpc}\n")
    };
    rows.iter().map(line).collect()
}

fn row(route: &Route) -> [String; 5] {
    let access = match route.access {
        Some(access) => format!("{access:?}").to_uppercase(),
        None => "-".to_owned(),
    };
    let body = match &route.body {
        Body::None => "-".to_owned(),
        Body::Whole => "*".to_owned(),
        Body::Field(field) => field.name().to_owned(),
    };
    let grpc = route.grpc_path();
    [
        route.http_method.to_string(),
        route.template.text().to_owned(),
        access,
        body,
        grpc,
    ]
}
