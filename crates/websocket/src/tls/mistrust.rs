//! What a TLS error means, and what its user can do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::{
    AlertDescription, CertificateError, Error, PeerIncompatible,
    pki_types::{ServerName, UnixTime},
};
use taiinet_mesh::LinkFailure;

/// So many of the names in a certificate are told.
const NAMES: usize = 4;
/// The length of one, in characters.
const NAME: usize = 80;

/// Why a server is not trusted.
pub(crate) fn mistrust(error: &Error) -> LinkFailure {
    let (what, cure) = match error {
        Error::InvalidCertificate(error) => {
            let (what, cure) = of_certificate(error);
            (format!("the signaller's certificate {what}"), cure)
        }
        Error::InvalidMessage(_) => (
            "no TLS is spoken at this address".to_owned(),
            "is it one of ws:// and not wss://, and is the port right?".to_owned(),
        ),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => (
            "the server speaks neither TLS 1.3 nor 1.2".to_owned(),
            "have its operator allow one (nginx: `ssl_protocols TLSv1.2 TLSv1.3`)".to_owned(),
        ),
        other => (
            format!("TLS failed: {other}"),
            "is the address right? Its operator may know more".to_owned(),
        ),
    };
    LinkFailure::Mistaken { what, cure }
}

/// What is wrong with a certificate, and what to do.
fn of_certificate(error: &CertificateError) -> (String, String) {
    match error {
        CertificateError::ExpiredContext { time, not_after } => (
            format!("expired on {}, and this device's clock says {}", date(*not_after), date(*time)),
            "its operator has to renew it, unless this device's clock is off: set that then".to_owned(),
        ),
        CertificateError::NotValidYetContext { time, not_before } => (
            format!(
                "is not valid before {}, and this device's clock says {}",
                date(*not_before),
                date(*time)
            ),
            "set this device's clock; if it is right, the clock of who made the certificate was not"
                .to_owned(),
        ),
        CertificateError::UnknownIssuer => (
            "has an issuer that is not trusted here".to_owned(),
            "if that is one of your own, name its certificate: --ca-file (in Rust `extra_roots`, for a \
             signaller --pool-ca); else the operator has to serve the whole chain"
                .to_owned(),
        ),
        CertificateError::BadSignature => (
            "is not signed by the issuer of that name that is trusted here".to_owned(),
            "the issuer may have a new key: name its certificate of today with --ca-file".to_owned(),
        ),
        CertificateError::NotValidForNameContext { expected, presented } => {
            of_name(expected, presented)
        }
        CertificateError::InvalidPurposeContext { .. } => (
            "is not one for servers".to_owned(),
            "have it made for that: openssl req … -addext extendedKeyUsage=serverAuth".to_owned(),
        ),
        CertificateError::Other(other) => match other.0.downcast_ref() {
            Some(webpki::Error::CaUsedAsEndEntity) => (
                "is one of a certificate authority (CA:TRUE), as `openssl req -x509` makes them, and none of a \
                 server"
                    .to_owned(),
                "have it made with: openssl req -x509 … -addext basicConstraints=critical,CA:FALSE -addext \
                 subjectAltName=DNS:HOST"
                    .to_owned(),
            ),
            Some(webpki::Error::UnsupportedCertVersion) => (
                "is of X.509 version 1, which has no names of hosts".to_owned(),
                "have it made with extensions: openssl req -x509 … -addext subjectAltName=DNS:HOST"
                    .to_owned(),
            ),
            _ => of_other(error),
        },
        _ => of_other(error),
    }
}

fn of_name(expected: &ServerName<'_>, presented: &[String]) -> (String, String) {
    let (host, kind) = match expected {
        ServerName::IpAddress(address) => (std::net::IpAddr::from(*address).to_string(), "IP"),
        other => (other.to_str().into_owned(), "DNS"),
    };
    let names = presented.iter().take(NAMES);
    let names: Vec<String> = names.map(|name| bare(name).chars().take(NAME).collect()).collect();
    let what = if names.is_empty() {
        format!("is not for {host}: it has no names of hosts (a common name does not count)")
    } else {
        format!("is not for {host}, but for {}", names.join(", "))
    };
    let cure = format!(
        "dial a name that it has, or have one made with: openssl … -addext subjectAltName={kind}:{host}"
    );
    (what, cure)
}

/// A name without the words of the library around it: `DnsName("one.example")`, `IpAddress(::1)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn of_other(error: &CertificateError) -> (String, String) {
    (format!("cannot be used: {error}"), "its operator has to have another made".to_owned())
}

/// As HTTP writes it: `Fri, 27 Nov 2026 02:10:51 GMT`.
fn date(time: UnixTime) -> String {
    // Beyond the year 9999 there is no such date.
    const LAST: u64 = 253_402_300_799;
    let time: SystemTime = UNIX_EPOCH + Duration::from_secs(time.as_secs().min(LAST));
    httpdate::fmt_http_date(time)
}
