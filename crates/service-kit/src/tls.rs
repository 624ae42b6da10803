//! TLS and mutual TLS by rustls, 1.2 at least, from PEM files.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::config::ConfigError;

/// The PEM files of a listener. `role` is the prefix of its variables: `AUTH`.
#[derive(Debug, Clone)]
pub struct ListenerTls<'a> {
    /// The prefix of the variables.
    pub role: &'static str,
    /// `*_TLS_CERT`: the certificate chain.
    pub cert: Option<&'a Path>,
    /// `*_TLS_KEY`: its private key.
    pub key: Option<&'a Path>,
    /// `*_TLS_CLIENT_CA`: who signs the certificates that clients must show.
    pub client_ca: Option<&'a Path>,
}

impl ListenerTls<'_> {
    /// The rustls configuration, or `None` when no TLS is asked for. `protocols` are offered by ALPN.
    ///
    /// # Errors
    /// When only half of it is set, or a file does not hold what it should.
    pub fn server_config(&self, protocols: &[&[u8]]) -> Result<Option<Arc<ServerConfig>>, ConfigError> {
        let (cert, key) = match (self.cert, self.key) {
            (Some(cert), Some(key)) => (cert, key),
            (None, None) if self.client_ca.is_none() => return Ok(None),
            (None, _) => {
                return Err(ConfigError::new(
                    self.variable("TLS_CERT"),
                    "the certificate of the private key",
                ));
            }
            (_, None) => {
                return Err(ConfigError::new(
                    self.variable("TLS_KEY"),
                    "the private key of the certificate",
                ));
            }
        };
        let chain = certificates(&self.variable("TLS_CERT"), cert)?;
        let private = private_key(&self.variable("TLS_KEY"), key)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mismatch = |_| ConfigError::new(self.variable("TLS_KEY"), "the private key that the certificate is for");
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(mismatch)?;
        let builder = match self.client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let variable = self.variable("TLS_CLIENT_CA");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(&variable, ca)?), provider)
                    .build()
                    .map_err(|_| ConfigError::new(variable, "certificates of authorities"))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, private).map_err(mismatch)?;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Some(Arc::new(config)))
    }

    fn variable(&self, name: &str) -> String {
        format!("{}_{name}", self.role)
    }
}

const CA: &str = "UPSTREAM_TLS_CA";
const CERT: &str = "UPSTREAM_TLS_CERT";
const KEY: &str = "UPSTREAM_TLS_KEY";

/// How a process calls https:// upstreams.
#[derive(Debug, Clone, Default, Args)]
pub struct UpstreamTlsArgs {
    /// PEM file of the authorities that sign the certificates of https:// upstreams
    #[arg(
        id = "upstream_tls_ca",
        long = "upstream-tls-ca",
        env = "UPSTREAM_TLS_CA",
        value_name = "FILE"
    )]
    pub ca: Option<PathBuf>,

    /// PEM file of the certificate that is shown to upstreams
    #[arg(
        id = "upstream_tls_cert",
        long = "upstream-tls-cert",
        env = "UPSTREAM_TLS_CERT",
        value_name = "FILE"
    )]
    pub cert: Option<PathBuf>,

    /// PEM file of that certificate's private key
    #[arg(
        id = "upstream_tls_key",
        long = "upstream-tls-key",
        env = "UPSTREAM_TLS_KEY",
        value_name = "FILE"
    )]
    pub key: Option<PathBuf>,
}

impl UpstreamTlsArgs {
    /// The client side of TLS for https:// upstreams; `None` when nothing is set.
    ///
    /// # Errors
    /// When a file cannot be read, or they do not fit together.
    pub fn client_config(&self) -> Result<Option<ClientTlsConfig>, ConfigError> {
        self.rustls_config()?;
        let Some(ca) = &self.ca else { return Ok(None) };
        let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(CA, ca)?));
        if let Some((cert, key)) = self.identity()? {
            config = config.identity(Identity::from_pem(read(CERT, cert)?, read(KEY, key)?));
        }
        Ok(Some(config))
    }

    /// The same as a rustls configuration with ALPN `h2`, for clients that are not tonic's; `None` when nothing is set.
    ///
    /// # Errors
    /// When a file cannot be read, or they do not fit together.
    pub fn rustls_config(&self) -> Result<Option<Arc<ClientConfig>>, ConfigError> {
        let identity = self.identity()?;
        let authorities = match &self.ca {
            Some(ca) => roots(CA, ca)?,
            None if identity.is_none() => return Ok(None),
            None => return Err(ConfigError::new(CA, "the authorities of the https:// upstreams")),
        };
        let mismatch = |_| ConfigError::new(KEY, "the private key that the certificate is for");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(mismatch)?
            .with_root_certificates(authorities);
        let mut config = match identity {
            Some((cert, key)) => builder
                .with_client_auth_cert(certificates(CERT, cert)?, private_key(KEY, key)?)
                .map_err(mismatch)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Some(Arc::new(config)))
    }

    fn identity(&self) -> Result<Option<(&Path, &Path)>, ConfigError> {
        match (&self.cert, &self.key) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (None, Some(_)) => Err(ConfigError::new(CERT, "the certificate of the private key")),
            (Some(_), None) => Err(ConfigError::new(KEY, "the private key of the certificate")),
        }
    }
}

fn read(variable: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|error| {
        ConfigError::new(variable, format!("a PEM file that can be read ({error})")).got(path.display().to_string())
    })
}

fn certificates(variable: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let wants = || ConfigError::new(variable, "a PEM file with certificates").got(path.display().to_string());
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(variable, path)?)
        .collect::<Result<_, _>>()
        .map_err(|_| wants())?;
    if chain.is_empty() { Err(wants()) } else { Ok(chain) }
}

fn private_key(variable: &str, path: &Path) -> Result<PrivateKeyDer<'static>, ConfigError> {
    PrivateKeyDer::from_pem_slice(&read(variable, path)?)
        .map_err(|_| ConfigError::new(variable, "a PEM file with a private key").got(path.display().to_string()))
}

fn roots(variable: &str, path: &Path) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(variable, path)? {
        roots
            .add(certificate)
            .map_err(|_| ConfigError::new(variable, "certificates of authorities").got(path.display().to_string()))?;
    }
    Ok(roots)
}
