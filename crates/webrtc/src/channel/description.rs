//! What is let in of descriptions, candidates and servers. All of them were written by strangers.

use rtc::ice::{candidate::unmarshal_candidate, url::Url};
use taiinet_mesh::{frame::IceServer, limits};
use webrtc::peer_connection::RTCIceServer;

/// How many candidates of the other end are tried. Each is paired with every address of ours, and
/// each pair costs packets to an address that the other end chose.
pub(super) const CANDIDATES: usize = 32;

/// The longest candidate. RFC 8839 sets no limit; real ones are shorter than 200 bytes.
const CANDIDATE_BYTES: usize = 512;

/// Why a description is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the description is larger than {} bytes", limits::NEGOTIATION_BYTES)]
    TooLarge,
    #[error("the description holds a control character")]
    Control,
    #[error("the description is not of one data channel and nothing else")]
    NotOneChannel,
    #[error("the description names a fingerprint that is not SHA-256")]
    Fingerprint,
}

/// The description without candidates that are not let in; `room` counts down with those that are.
pub(super) fn admit_description(text: &str, room: &mut usize) -> Result<String, Refusal> {
    if text.len() > limits::NEGOTIATION_BYTES {
        return Err(Refusal::TooLarge);
    }
    let mut admitted = String::with_capacity(text.len() + 16);
    let mut sections = 0;
    for line in text.lines() {
        // What we take for one line must be one line for the library too.
        if line.contains(char::is_control) {
            return Err(Refusal::Control);
        }
        if let Some(media) = line.strip_prefix("m=") {
            sections += 1;
            if !media.starts_with("application ") || sections > 1 {
                return Err(Refusal::NotOneChannel);
            }
        }
        // The channel binding stands on the fingerprint, so there is no second way to read it.
        if let Some(fingerprint) = strip_prefix_ignore_case(line, "a=fingerprint")
            && !(line.starts_with("a=fingerprint:")
                && strip_prefix_ignore_case(fingerprint, ":sha-256 ").is_some())
        {
            return Err(Refusal::Fingerprint);
        }
        if let Some(candidate) = line.strip_prefix("a=candidate:")
            && !admit_candidate(candidate, room)
        {
            continue;
        }
        admitted.push_str(line);
        admitted.push_str("\r\n");
    }
    if sections == 0 { Err(Refusal::NotOneChannel) } else { Ok(admitted) }
}

/// Whether a candidate (RFC 8839, with or without `candidate:`) is let in: understood, for UDP, and
/// not one too many. Others are no offence: there may be kinds that we do not know.
pub(super) fn admit_candidate(text: &str, room: &mut usize) -> bool {
    let text = text.strip_prefix("candidate:").unwrap_or(text);
    let admitted = *room > 0
        && text.len() <= CANDIDATE_BYTES
        && !text.contains(char::is_control)
        && text.split_whitespace().nth(2).is_some_and(|kind| kind.eq_ignore_ascii_case("udp"))
        && unmarshal_candidate(text).is_ok();
    *room -= usize::from(admitted);
    admitted
}

/// Of the servers that a signaller named, those that can be used.
pub(super) fn admit_ice_servers(named: &[IceServer]) -> Vec<RTCIceServer> {
    let usable =
        |server: &&IceServer| server.is_well_formed() && Url::parse_url(&server.url).is_ok();
    let server = |server: &IceServer| RTCIceServer {
        urls: vec![server.url.clone()],
        username: server.username.clone(),
        credential: server.credential.clone(),
    };
    named.iter().filter(usable).take(2 * limits::ICE_SERVERS).map(server).collect()
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests;
