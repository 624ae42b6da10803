//! Logs: text on a terminal, JSON otherwise, always on standard error. Traces: by OTLP, when asked for.

use std::{env, io::IsTerminal};

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt};

use crate::process::StartError;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Sends what is left of the traces when it is dropped.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Installs the process's log subscriber. For a `main`, once, within its runtime.
///
/// `RUST_LOG` filters (default `info`). User input in fields is escaped by both formats. When
/// `OTEL_EXPORTER_OTLP_ENDPOINT` is set, traces go there by gRPC; OpenTelemetry's other variables are honoured.
///
/// # Errors
/// When the traces' endpoint cannot be used.
pub fn init() -> Result<Traces, StartError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let provider = env::var_os(ENDPOINT)
        .filter(|value| !value.is_empty())
        .map(|_| exporting())
        .transpose()?;
    let traces = provider.as_ref().map(|provider| {
        let tracer = provider.tracer("gatehouse");
        tracing_opentelemetry::layer().with_tracer(tracer)
    });
    let outcome = tracing_subscriber::registry()
        .with(filter)
        .with(logs())
        .with(traces)
        .try_init();
    if outcome.is_err() {
        tracing::warn!("a log subscriber was installed before: it stays");
    }
    Ok(Traces(provider))
}

fn logs<S>() -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        layer.boxed()
    } else {
        layer
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed()
    }
}

fn exporting() -> Result<SdkTracerProvider, StartError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .build()
        .map_err(|error| StartError::failed(format!("reaching {ENDPOINT}"), error))?;
    let mut resource = Resource::builder();
    if env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("gatehouse");
    }
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build())
}
