//! Logs: text on a terminal, JSON otherwise, always on standard error. Traces: by OTLP, when asked for.

use std::{
    env,
    io::{self, IsTerminal},
    panic::{self, PanicHookInfo},
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt::MakeWriter, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::process::StartError;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Crates through whose hands headers, bodies, keys and statements go. What they say at `trace` is about single bytes
/// and may quote them: it is never logged, whatever `RUST_LOG` asks for.
const CARRIERS: [&str; 12] = [
    "aws_lc_rs",
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "opentelemetry_otlp",
    "opentelemetry_sdk",
    "rustls",
    "sqlx",
    "tokio_rustls",
    "tonic",
    "tower",
];

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
/// `RUST_LOG` filters (default `info`); `trace` is for our own code alone. User input in fields is escaped by both
/// formats, and a panic is a line like any other. When `OTEL_EXPORTER_OTLP_ENDPOINT` is set, traces go there by gRPC;
/// OpenTelemetry's other variables are honoured.
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
        .with(filter_fn(is_kept))
        .with(logs(io::stderr, io::stderr().is_terminal()))
        .with(traces)
        .try_init();
    match outcome {
        Ok(()) => panic::set_hook(Box::new(log_panic)),
        Err(_) => tracing::warn!("a log subscriber was installed before: it stays"),
    }
    Ok(Traces(provider))
}

/// Whether a line may be logged at all.
fn is_kept(metadata: &Metadata<'_>) -> bool {
    let name = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() != Level::TRACE || !CARRIERS.contains(&name)
}

/// One line, in the span of the request that it ends.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let what = panic.payload_as_str().unwrap_or("something that is no text");
    tracing::error!(place, what, "a panic");
}

fn logs<S, W>(writer: W, is_terminal: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    if is_terminal {
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

#[cfg(test)]
mod tests {
    use std::{
        io,
        panic::{self, AssertUnwindSafe},
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::{EnvFilter, filter::filter_fn, layer::SubscriberExt};

    use super::{is_kept, log_panic, logs};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged in one of the formats at the most talkative setting.
    fn logged(is_terminal: bool, body: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry()
            .with(EnvFilter::new("trace,h2::codec=trace"))
            .with(filter_fn(is_kept))
            .with(logs(move || writer.clone(), is_terminal));
        tracing::subscriber::with_default(subscriber, body);
        let text = lines.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn crates_that_carry_secrets_are_never_heard_at_trace() {
        let text = logged(false, || {
            tracing::trace!(target: "h2::codec::framed_read", "planted");
            tracing::trace!(target: "hyper::proto::h1::io", "planted");
            tracing::trace!(target: "sqlx::query", "planted");
            tracing::trace!(target: "rustls::client", "planted");
            tracing::trace!(target: "hyperbole", "ours");
            tracing::debug!(target: "h2::client", "a connection");
        });

        assert!(!text.contains("planted"), "{text}");
        assert!(text.contains("ours") && text.contains("a connection"), "{text}");
    }

    #[test]
    fn what_a_user_sent_cannot_begin_a_line_or_colour_a_terminal() {
        let hostile = "a\r\nERROR forged\u{1b}[31mred";
        for is_terminal in [false, true] {
            let text = logged(is_terminal, || tracing::info!(hostile, debugged = ?hostile, "a line"));

            assert_eq!(text.lines().count(), 1, "{text:?}");
            assert!(text.contains("forged") && !text.contains("\u{1b}[31m"), "{text:?}");
        }
        let text = logged(false, || tracing::info!(shown = %hostile, "{hostile}"));
        assert_eq!(text.lines().count(), 1, "{text:?}");
    }

    #[test]
    fn a_panic_is_one_line_in_the_span_of_its_request() {
        let before = panic::take_hook();
        panic::set_hook(Box::new(log_panic));
        let text = logged(false, || {
            let span = tracing::info_span!("call", request_id = "the-request");
            let panicking = AssertUnwindSafe(|| span.in_scope(|| panic!("one\ntwo")));
            panic::catch_unwind(panicking).unwrap_err();
        });
        panic::set_hook(before);

        assert_eq!(text.lines().count(), 1, "{text}");
        for part in ["the-request", r"one\ntwo", "telemetry.rs"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }
}
