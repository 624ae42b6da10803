//! `auth-service keys …` and `recover`.

use chrono::{SecondsFormat, Utc};
use clap::Subcommand;
use service_kit::process::{StartError, say};

use crate::{
    AuthArgs,
    keys::{self, KeyError},
    time::to_micros,
};

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Keys {
    /// List the keys and what they do
    List,
    /// Publish the next key, which signs from 30 s later
    Rotate {
        /// Sign with it at once: for when the present key is compromised
        #[arg(long)]
        now: bool,
    },
    /// Kill a key and all tokens that it signed
    Retire {
        /// The key's id, which may begin with a hyphen
        #[arg(value_name = "KID", allow_hyphen_values = true)]
        kid: String,
    },
}

pub(crate) async fn keys(args: &AuthArgs, command: Keys) -> Result<(), StartError> {
    let url = args.database()?;
    let store = args.open_store(&url).await?;
    let now = to_micros(Utc::now());
    match command {
        Keys::List => {
            for key in keys::list(&store, now).await.map_err(keys_refused)? {
                let made = key.created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                say(format_args!("{} {} {made}", key.kid, key.state));
            }
        }
        Keys::Rotate { now: at_once } => {
            let sealer = args.sealer(&url)?;
            let kid = keys::rotate(&store, &sealer, at_once, now)
                .await
                .map_err(keys_refused)?;
            let from = if at_once { "at once" } else { "from 30 s later" };
            say(format_args!(
                "{kid} signs {from}; older keys verify until they are retired"
            ));
        }
        Keys::Retire { kid } => {
            keys::retire(&store, &kid, now).await.map_err(keys_refused)?;
            say(format_args!("{kid} is retired; all tokens that it signed are dead"));
        }
    }
    Ok(())
}

pub(crate) async fn recover(args: &AuthArgs) -> Result<(), StartError> {
    let url = args.database()?;
    let sealer = args.sealer(&url)?;
    let store = args.open_store(&url).await?;
    let now = to_micros(Utc::now());
    let (epoch, kid) = keys::recover(&store, &sealer, now).await.map_err(keys_refused)?;
    say(format_args!(
        "epoch {epoch}: {kid} signs now, all older keys are retired, all older tokens are dead"
    ));
    Ok(())
}

/// Why the keys keep a command or the service from going on.
pub(crate) fn keys_refused(error: KeyError) -> StartError {
    match error {
        KeyError::Unknown(_) | KeyError::OnlyKey(_) | KeyError::Sealed { .. } => StartError::Refused(error.to_string()),
        error => StartError::failed("seeing to the signing keys", error),
    }
}
