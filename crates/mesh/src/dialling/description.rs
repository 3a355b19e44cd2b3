//! What is let in of the other end's session description (RFC 8866, RFC 8841) and candidates
//! (RFC 8839). Both were written by strangers, and a browser or a library does whatever they say:
//! another `m=` line is another stream, and each candidate costs packets to an address that the
//! stranger chose. Every driver asks an [`Admission`] before it hands anything to its WebRTC stack.

use core::net::IpAddr;

use thiserror::Error;

use crate::limits::NEGOTIATION_BYTES;

/// How many candidates of the other end are tried. Each is paired with every address of ours, and
/// each pair costs packets.
pub const CANDIDATES: usize = 32;
/// The longest candidate. RFC 8839 sets no limit; real ones are shorter than 200 bytes.
pub const CANDIDATE_BYTES: usize = 512;
/// The longest foundation of a candidate (RFC 8839, 5.1).
const FOUNDATION_BYTES: usize = 32;

/// Why a description is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// It is larger than [`NEGOTIATION_BYTES`].
    #[error("the description is larger than {NEGOTIATION_BYTES} bytes")]
    TooLarge,
    /// It holds something else than printable ASCII in lines: what is one line here must be one line
    /// for every parser.
    #[error("the description holds more than printable ASCII")]
    NotPrintable,
    /// A line is not `x=…`.
    #[error("the description has a line that is none of RFC 8866")]
    NotALine,
    /// It is not of one data channel and nothing else.
    #[error("the description is not of one data channel and nothing else")]
    NotOneChannel,
    /// A fingerprint is not SHA-256, or is written in a way that others may read differently. The
    /// channel binding stands on it.
    #[error("the description names a fingerprint that is not SHA-256")]
    Fingerprint,
}

/// Why a candidate is not let in. None of these is an offence: there may be kinds that we do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CandidateError {
    /// There were [`CANDIDATES`] before it.
    #[error("it is one too many")]
    TooMany,
    /// It is longer than [`CANDIDATE_BYTES`].
    #[error("it is longer than {CANDIDATE_BYTES} bytes")]
    TooLarge,
    /// It holds something else than printable ASCII.
    #[error("it holds more than printable ASCII")]
    NotPrintable,
    /// It is not what RFC 8839 describes, or of a kind that is not known.
    #[error("it is not understood")]
    NotUnderstood,
    /// It is for TCP. Strangers do not choose where we connect to.
    #[error("it is not for UDP")]
    NotUdp,
    /// It names a host that would have to be looked up. Only names under `.local` are let in, with which
    /// browsers hide their addresses.
    #[error("it names a host and not an address")]
    NotAnAddress,
}

/// What may still come of one link's other end.
#[derive(Debug, Clone)]
pub struct Admission {
    candidates_left: usize,
}

impl Default for Admission {
    fn default() -> Self {
        Self { candidates_left: CANDIDATES }
    }
}

impl Admission {
    /// The description without the candidates that are not let in, each line ended by CR LF.
    ///
    /// # Errors
    /// [`DescriptionError`]: then the link must come to nothing.
    pub fn description(&mut self, text: &str) -> Result<String, DescriptionError> {
        if text.len() > NEGOTIATION_BYTES {
            return Err(DescriptionError::TooLarge);
        }
        let mut admitted = String::with_capacity(text.len());
        let mut channels = 0;
        for line in text.lines() {
            if !is_printable(line) {
                return Err(DescriptionError::NotPrintable);
            }
            let (kind, value) = line.split_once('=').ok_or(DescriptionError::NotALine)?;
            if !matches!(kind.as_bytes(), [b'a'..=b'z']) {
                return Err(DescriptionError::NotALine);
            }
            match kind {
                "m" if channels > 0 || !is_data_channel(value) => {
                    return Err(DescriptionError::NotOneChannel);
                }
                "m" => channels += 1,
                "a" if !self.attribute(value)? => continue,
                _ => {}
            }
            admitted.push_str(line);
            admitted.push_str("\r\n");
        }
        if channels == 1 { Ok(admitted) } else { Err(DescriptionError::NotOneChannel) }
    }

    /// Takes a candidate that came by itself, with or without `candidate:` before it.
    ///
    /// # Errors
    /// [`CandidateError`]: then it must be left out.
    pub fn candidate(&mut self, text: &str) -> Result<(), CandidateError> {
        let left = self.candidates_left.checked_sub(1).ok_or(CandidateError::TooMany)?;
        check_candidate(text.strip_prefix("candidate:").unwrap_or(text))?;
        self.candidates_left = left;
        Ok(())
    }

    /// Whether an attribute stays.
    fn attribute(&mut self, attribute: &str) -> Result<bool, DescriptionError> {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        // Names are case-sensitive; one that only looks like another may be it for some parser.
        let is_like = |wanted: &str| name.trim_end().eq_ignore_ascii_case(wanted);
        if is_like("fingerprint") {
            let algorithm = value.split_once(' ').map_or("", |(algorithm, _)| algorithm);
            if name != "fingerprint" || !algorithm.eq_ignore_ascii_case("sha-256") {
                return Err(DescriptionError::Fingerprint);
            }
        }
        if is_like("candidate") {
            return Ok(name == "candidate" && self.candidate(value).is_ok());
        }
        // Addresses under another name (RFC 8839, 5.2).
        Ok(!is_like("remote-candidates"))
    }
}

/// Whether an `m=` line is of a data channel: `application 9 UDP/DTLS/SCTP webrtc-datachannel`.
fn is_data_channel(media: &str) -> bool {
    let mut words = media.split(' ');
    words.next() == Some("application")
        && words.next().is_some_and(|port| digits::<u16>(port).is_some())
        && matches!(words.next(), Some("UDP/DTLS/SCTP" | "TCP/DTLS/SCTP"))
        && words.next() == Some("webrtc-datachannel")
        && words.next().is_none()
}

/// `foundation 1 udp priority address port typ kind`, then pairs of a name and a value.
fn check_candidate(text: &str) -> Result<(), CandidateError> {
    if text.len() > CANDIDATE_BYTES {
        return Err(CandidateError::TooLarge);
    }
    if !is_printable(text) {
        return Err(CandidateError::NotPrintable);
    }
    // Exactly one space: parsers differ in what they make of more.
    let words: Vec<&str> = text.split(' ').collect();
    let [foundation, component, transport, priority, address, port, typ, kind, rest @ ..] =
        &words[..]
    else {
        return Err(CandidateError::NotUnderstood);
    };
    if !transport.eq_ignore_ascii_case("udp") {
        return Err(CandidateError::NotUdp);
    }
    let is_ice_char = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let understood = (1..=FOUNDATION_BYTES).contains(&foundation.len())
        && foundation.bytes().all(is_ice_char)
        // A data channel has one component.
        && *component == "1"
        && digits::<u32>(priority).is_some()
        && digits::<u16>(port).is_some_and(|port| port > 0)
        && *typ == "typ"
        && matches!(*kind, "host" | "srflx" | "prflx" | "relay")
        && are_extensions(rest);
    if !understood {
        return Err(CandidateError::NotUnderstood);
    }
    // A name hides an address of the host's own.
    let may_hide = *kind == "host";
    let found = address.parse::<IpAddr>().is_ok() || may_hide && is_address(address);
    if found { Ok(()) } else { Err(CandidateError::NotAnAddress) }
}

/// Whether what stands after a candidate's kind is a related address, then pairs of a name and a value
/// that need not be understood.
fn are_extensions(words: &[&str]) -> bool {
    let more = match words {
        ["raddr", address, "rport", port, more @ ..] => {
            if !is_address(address) || digits::<u16>(port).is_none() {
                return false;
            }
            more
        }
        _ => words,
    };
    let is_extension = |pair: &[&str]| match pair {
        // A candidate for UDP has no TCP type.
        ["raddr" | "rport" | "tcptype" | "", _] | [_, ""] => false,
        [_, _] => true,
        _ => false,
    };
    more.chunks(2).all(is_extension)
}

/// An IP address, or one label under `.local` (draft-ietf-mmusic-mdns-ice-candidates).
fn is_address(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.parse::<IpAddr>().is_ok() || text.strip_suffix(".local").is_some_and(is_label)
}

/// A number without a sign, which Rust's parser would let in.
fn digits<T: core::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests;
