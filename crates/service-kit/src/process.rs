//! The edges of a process: why it does not start, when it stops, what it exits with.

use std::{error::Error, io::Write, process::ExitCode};

use crate::{
    config::{ConfigError, production::Unfit},
    refusal::Chain,
};

/// The exit code of a setting that cannot be used (sysexits' EX_USAGE).
pub const CONFIG_EXIT: u8 = 64;

/// Why a service does not start, or a command fails.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used: exit code 64.
    #[error(transparent)]
    Config(#[from] ConfigError),

    /// Settings that production does not put up with: exit code 64.
    #[error(transparent)]
    Unfit(#[from] Unfit),

    /// Something outside is not as it must be: a taken port, an older schema, a changed secret. Exit code 1. The text
    /// says what to do.
    #[error("{0}")]
    Refused(String),

    /// Something failed: exit code 1.
    #[error("{doing}")]
    Failed {
        /// What was being done, such as `opening the database`.
        doing: String,
        /// Why it failed.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl StartError {
    /// A failure while doing something.
    pub fn failed(doing: impl Into<String>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed {
            doing: doing.into(),
            cause: cause.into(),
        }
    }

    /// What the process exits with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Unfit(_) => CONFIG_EXIT,
            Self::Refused(_) | Self::Failed { .. } => 1,
        }
    }
}

/// Prints an error and its causes on standard error.
pub fn complain(error: &(dyn Error + 'static)) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "error: {}", Chain(error));
}

/// Prints a line on standard output: a command's result, never a log.
pub fn say(line: impl std::fmt::Display) {
    // A reader that went away has seen enough.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Runs the body of a `main` on a multi-threaded runtime, with logs and traces.
pub fn run(body: impl Future<Output = Result<(), StartError>>) -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| StartError::failed("starting the runtime", error))
        .and_then(|runtime| {
            let _within = runtime.enter();
            let _traces = crate::telemetry::init()?;
            runtime.block_on(body)
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            error.exit_code().into()
        }
    }
}

/// Completes when the process is asked to stop: SIGTERM, or SIGINT from a terminal.
///
/// # Errors
/// When signals cannot be listened to.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, StartError> {
    use tokio::signal::unix::{SignalKind, signal};

    let cannot = |error| StartError::failed("listening to signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to stop: draining");
    })
}
