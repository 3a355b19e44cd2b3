//! From when and until when a certificate is good, as those that verify it see it.

use std::time::{Duration, SystemTime};

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

use crate::limits;

/// From when and until when a chain of certificates is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    /// Seconds since 1970.
    from: u64,
    until: u64,
}

/// What is to be said of a certificate's times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Concern {
    /// Whether clients are refusing it, or will be within days.
    pub(super) is_urgent: bool,
    pub(super) text: String,
}

const DAY: u64 = 24 * 3600;

impl Concern {
    /// Says it.
    pub(super) fn log(&self) {
        if self.is_urgent {
            tracing::error!("{}", self.text);
        } else {
            tracing::warn!("{}", self.text);
        }
    }
}

impl Validity {
    /// Of all of a chain: it is good while all of it is. None if that cannot be read.
    pub(super) fn of(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let each = chain.iter().map(|certificate| {
            let from = bound(certificate, UnixTime::since_unix_epoch(Duration::ZERO))?;
            let until = bound(certificate, UnixTime::since_unix_epoch(Duration::MAX))?;
            Some(Self { from, until })
        });
        let each: Vec<_> = each.collect::<Option<_>>()?;
        let from = each.iter().map(|validity| validity.from).max()?;
        let until = each.iter().map(|validity| validity.until).min()?;
        Some(Self { from, until })
    }

    /// Until when, in seconds since 1970.
    pub(super) const fn until(&self) -> u64 {
        self.until
    }

    /// What is to be said of it now, if anything: of the certificate in a file.
    pub(super) fn concern(&self, file: &str, now: SystemTime) -> Option<Concern> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let renew = "renew it, and send SIGHUP";
        if now < self.from {
            let text = format!(
                "{file}: the certificate is good only from {} on: is this host's clock right?",
                date(self.from)
            );
            return Some(Concern { is_urgent: true, text });
        }
        let (left, date) = (self.until.saturating_sub(now), date(self.until));
        if now > self.until {
            let text = format!(
                "{file}: the certificate expired on {date}, and peers and browsers refuse it: {renew}"
            );
            return Some(Concern { is_urgent: true, text });
        }
        let left = Duration::from_secs(left);
        (left < limits::CERTIFICATE_LATE).then(|| Concern {
            is_urgent: left < limits::CERTIFICATE_URGENT,
            text: format!(
                "{file}: the certificate expires on {date}, in {} days: {renew}",
                left.as_secs() / DAY
            ),
        })
    }

    /// A sentence on it.
    pub(super) fn sentence(&self, file: &str) -> String {
        format!("{file}: the certificate is good until {}", date(self.until))
    }
}

/// What a verifier says that lives at this time, which lies before or after a certificate's own.
fn bound(certificate: &CertificateDer<'_>, time: UnixTime) -> Option<u64> {
    let leaf = EndEntityCert::try_from(certificate).ok()?;
    // Its times are looked at before it is asked who vouches for it.
    let verified = leaf.verify_for_usage(&[], &[], &[], time, KeyUsage::server_auth(), None, None);
    match verified.err()? {
        Error::CertNotValidYet { not_before, .. } => Some(not_before.as_secs()),
        Error::CertExpired { not_after, .. } => Some(not_after.as_secs()),
        _ => None,
    }
}

/// As the day and hour of UTC.
fn date(seconds: u64) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    // The year 9999 is the last that a certificate can name (RFC 5280, section 4.1.2.5), and that this writes.
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    let time = time.unwrap_or(last).min(last);
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(
        is_ca: IsCa,
        from: (i32, u8, u8),
        until: (i32, u8, u8),
    ) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.is_ca = is_ca;
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().clone()
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_chain_is_good_while_all_of_it_is() {
        let leaf = certificate(IsCa::NoCa, (2020, 1, 1), (2030, 1, 1));
        let of_leaf = Validity::of(std::slice::from_ref(&leaf)).expect("its times");
        assert_eq!(of_leaf, Validity { from: 1_577_836_800, until: 1_893_456_000 });
        let unconstrained = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = certificate(unconstrained, (2021, 1, 1), (2028, 1, 1));
        let chain = Validity::of(&[leaf, issuer]).expect("their times");
        assert_eq!(chain, Validity { from: 1_609_459_200, until: 1_830_297_600 });
        assert_eq!(Validity::of(&[CertificateDer::from(vec![1, 2, 3])]), None);
        assert_eq!(Validity::of(&[]), None);
        // As an authority that never expires writes it.
        let endless = certificate(IsCa::NoCa, (1975, 1, 1), (9999, 12, 31));
        let endless = Validity::of(&[endless]).expect("its times");
        assert!(endless.sentence("c").contains("9999-12-31"), "{}", endless.sentence("c"));
    }

    #[test]
    fn it_is_a_concern_three_weeks_before_it_expires_and_an_urgent_one_in_the_last() {
        let validity = Validity { from: 1000 * DAY, until: 2000 * DAY };
        let said = |now: u64| {
            let concern = validity.concern("cert.pem", at(now))?;
            Some((concern.is_urgent, concern.text))
        };
        assert_eq!(said(1979 * DAY), None);
        let (is_urgent, text) = said(1979 * DAY + 1).expect("late");
        assert!(!is_urgent && text.contains("in 20 days"), "{text}");
        assert!(said(1993 * DAY + 1).expect("urgent").0);
        let (is_urgent, text) = said(2000 * DAY + 1).expect("over");
        assert!(
            is_urgent && text.starts_with("cert.pem: the certificate expired on 1975-"),
            "{text}"
        );
        let (is_urgent, text) = said(1000 * DAY - 1).expect("early");
        assert!(is_urgent && text.contains("clock"), "{text}");
    }
}
