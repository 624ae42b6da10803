//! The settings of a listener's limits: the same for every role, each under the role's name.

/// Makes the settings of a role's listener: a struct of flags that converts to [`Limits`](crate::serving::Limits). The
/// role is named as flags and as variables name it. What is given for a default is what [`Default`] gives, as text.
#[macro_export]
macro_rules! listener_limits {
    (
        $name:ident of $flag:literal, $variable:literal with $defaults:expr;
        connections $connections:literal, streams $streams:literal,
        request_timeout $request_timeout:literal, idle_timeout $idle_timeout:literal
    ) => {
        /// What the listener bounds.
        #[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
        pub struct $name {
            /// Connections at a time; further ones wait until one ends
            #[arg(id = concat!($flag, "_max_connections"), long = concat!($flag, "-max-connections"),
                  env = concat!($variable, "_MAX_CONNECTIONS"), value_name = "NUMBER",
                  default_value = $connections, value_parser = $crate::config::number_between(1..=1_000_000))]
            pub max_connections: u32,

            /// Streams at a time on one HTTP/2 connection
            #[arg(id = concat!($flag, "_max_streams"), long = concat!($flag, "-max-streams"),
                  env = concat!($variable, "_MAX_STREAMS"), value_name = "NUMBER",
                  default_value = $streams, value_parser = $crate::config::number_between(1..=100_000))]
            pub max_streams: u32,

            /// Calls at a time, at a service of each of its gRPC services; further ones are refused at once
            #[arg(id = concat!($flag, "_max_calls"), long = concat!($flag, "-max-calls"),
                  env = concat!($variable, "_MAX_CALLS"), value_name = "NUMBER",
                  default_value = "16384", value_parser = $crate::config::number_between(1..=1_000_000))]
            pub max_calls: u32,

            /// Bytes of a request's headers
            #[arg(id = concat!($flag, "_max_header_bytes"), long = concat!($flag, "-max-header-bytes"),
                  env = concat!($variable, "_MAX_HEADER_BYTES"), value_name = "BYTES",
                  default_value = "16384",
                  value_parser = $crate::config::number_between($crate::serving::Limits::LEAST_HEADER_BYTES..=1_048_576))]
            pub max_header_bytes: u32,

            /// Within which a client must have done TLS and sent its first request's headers (over gRPC: have begun to
            /// speak HTTP/2), and over HTTP/1 each later request's from their first byte
            #[arg(id = concat!($flag, "_header_timeout"), long = concat!($flag, "-header-timeout"),
                  env = concat!($variable, "_HEADER_TIMEOUT"), value_name = "DURATION",
                  default_value = "10s", value_parser = $crate::config::limit())]
            pub header_timeout: std::time::Duration,

            /// How long a request may take until its response begins; the caller's own deadline may be shorter
            #[arg(id = concat!($flag, "_request_timeout"), long = concat!($flag, "-request-timeout"),
                  env = concat!($variable, "_REQUEST_TIMEOUT"), value_name = "DURATION",
                  default_value = $request_timeout, value_parser = $crate::config::limit())]
            pub request_timeout: std::time::Duration,

            /// How long a connection may be without a request
            #[arg(id = concat!($flag, "_idle_timeout"), long = concat!($flag, "-idle-timeout"),
                  env = concat!($variable, "_IDLE_TIMEOUT"), value_name = "DURATION",
                  default_value = $idle_timeout, value_parser = $crate::config::limit())]
            pub idle_timeout: std::time::Duration,

            /// How long a client may take nothing of what is being sent to it
            #[arg(id = concat!($flag, "_write_timeout"), long = concat!($flag, "-write-timeout"),
                  env = concat!($variable, "_WRITE_TIMEOUT"), value_name = "DURATION",
                  default_value = "30s", value_parser = $crate::config::limit())]
            pub write_timeout: std::time::Duration,

            /// How often a silent HTTP/2 client is asked whether it is still there, and how long it may take to answer
            #[arg(id = concat!($flag, "_keepalive"), long = concat!($flag, "-keepalive"),
                  env = concat!($variable, "_KEEPALIVE"), value_name = "DURATION",
                  default_value = "20s", value_parser = $crate::config::limit())]
            pub keepalive: std::time::Duration,

            /// After which a connection takes no more requests, so that clients find new replicas; 0s is never
            #[arg(id = concat!($flag, "_max_connection_age"), long = concat!($flag, "-max-connection-age"),
                  env = concat!($variable, "_MAX_CONNECTION_AGE"), value_name = "DURATION",
                  default_value = "1h", value_parser = $crate::config::limit_or_none())]
            pub max_connection_age: std::time::Duration,

            /// How long requests under way are waited for at the end
            #[arg(id = concat!($flag, "_drain_timeout"), long = concat!($flag, "-drain-timeout"),
                  env = concat!($variable, "_DRAIN_TIMEOUT"), value_name = "DURATION",
                  default_value = "20s", value_parser = $crate::config::limit_or_none())]
            pub drain_timeout: std::time::Duration,
        }

        impl Default for $name {
            /// The defaults of the command line.
            fn default() -> Self {
                let limits: $crate::serving::Limits = $defaults;
                Self {
                    max_connections: limits.connections,
                    max_streams: limits.streams,
                    max_calls: limits.calls,
                    max_header_bytes: limits.header_bytes,
                    header_timeout: limits.header_timeout,
                    request_timeout: limits.request_timeout,
                    idle_timeout: limits.idle_timeout,
                    write_timeout: limits.write_timeout,
                    keepalive: limits.keepalive,
                    max_connection_age: limits.connection_age,
                    drain_timeout: limits.drain_timeout,
                }
            }
        }

        impl From<&$name> for $crate::serving::Limits {
            fn from(args: &$name) -> Self {
                Self {
                    protocol: $defaults.protocol,
                    connections: args.max_connections,
                    streams: args.max_streams,
                    header_bytes: args.max_header_bytes,
                    calls: args.max_calls,
                    header_timeout: args.header_timeout,
                    request_timeout: args.request_timeout,
                    idle_timeout: args.idle_timeout,
                    write_timeout: args.write_timeout,
                    keepalive: args.keepalive,
                    connection_age: args.max_connection_age,
                    drain_timeout: args.drain_timeout,
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::serving::Limits;

    crate::listener_limits! {
        KitLimits of "kit", "KIT_TEST" with Limits::SERVICE;
        connections "4096", streams "1024", request_timeout "30s", idle_timeout "5m"
    }

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        limits: KitLimits,
    }

    #[test]
    fn what_is_not_set_is_as_the_constants_say() {
        let cli = Cli::try_parse_from(["x"]).unwrap();

        assert_eq!(cli.limits, KitLimits::default());
        assert_eq!(Limits::from(&cli.limits), Limits::SERVICE);
    }

    #[test]
    fn what_is_set_holds_and_nonsense_is_refused() {
        let cli = Cli::try_parse_from(["x", "--kit-max-calls", "7", "--kit-max-connection-age", "0s"]).unwrap();
        let limits = Limits::from(&cli.limits);
        assert_eq!((limits.calls, limits.connection_age.is_zero()), (7, true));

        for line in [
            ["x", "--kit-max-connections", "0"],
            ["x", "--kit-max-header-bytes", "100"],
            ["x", "--kit-idle-timeout", "0s"],
            ["x", "--kit-keepalive", "2d"],
        ] {
            assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
        }
    }
}
