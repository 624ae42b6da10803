//! Certificates of a test's own, in files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// Signs certificates for this machine. The files go with it.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its private key: the files, and what is in them.
#[derive(Debug, Clone)]
pub struct Certified {
    /// Where the certificate is.
    pub cert: PathBuf,
    /// Where its private key is.
    pub key: PathBuf,
    /// Both as PEM: the certificate, then the key.
    pub pem: (String, String),
}

impl Authority {
    /// One that nobody else trusts.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// The file of its own certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate for `localhost` and 127.0.0.1, in files of this name.
    pub fn sign(&self, name: &str) -> Certified {
        self.sign_with(name, |_| ())
    }

    /// The same, and long past its time.
    pub fn sign_expired(&self, name: &str) -> Certified {
        self.sign_with(name, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        })
    }

    fn sign_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Certified {
        let key = KeyPair::generate().unwrap();
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let pem = (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem());
        let certified = Certified {
            cert: self.folder.path().join(format!("{name}.pem")),
            key: self.folder.path().join(format!("{name}.key")),
            pem,
        };
        fs::write(&certified.cert, &certified.pem.0).unwrap();
        fs::write(&certified.key, &certified.pem.1).unwrap();
        certified
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
