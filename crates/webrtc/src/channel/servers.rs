//! Which of the servers that a signaller named are used. (Descriptions and candidates are admitted by
//! [`taiinet_mesh::description`].)

use rtc::ice::url::{SchemeType, Url};
use taiinet_mesh::{limits, wire::IceServer};
use webrtc::peer_connection::RTCIceServer;

/// Of the servers that a signaller named, those which the library is to ask for our addresses. It is
/// told nothing of TURN: see [`crate::turn`].
pub(super) fn admit_stun_servers(named: &[IceServer]) -> Vec<RTCIceServer> {
    let usable = |server: &&IceServer| {
        let url = server.is_well_formed().then(|| Url::parse_url(&server.url));
        url.is_some_and(|url| url.is_ok_and(|url| url.scheme == SchemeType::Stun))
    };
    let server =
        |server: &IceServer| RTCIceServer { urls: vec![server.url.clone()], ..Default::default() };
    named.iter().filter(usable).take(2 * limits::ICE_SERVERS).map(server).collect()
}

#[cfg(test)]
mod tests {
    use rtc::ice::candidate::unmarshal_candidate;
    use taiinet_mesh::description::Admission;

    use super::*;

    #[test]
    fn only_servers_of_sane_form_size_and_number_are_used() {
        let named = ["turn:127.0.0.1:1", "stun:127.0.0.1:3478", "stun:", "junk", "stun:[::1]:3478"]
            .map(IceServer::stun);
        let urls: Vec<_> =
            admit_stun_servers(&named).into_iter().flat_map(|server| server.urls).collect();
        assert_eq!(urls, ["stun:127.0.0.1:3478", "stun:[::1]:3478"]);
        let long = IceServer::stun(format!("stun:{}", "a".repeat(300)));
        assert!(admit_stun_servers(&[long]).is_empty());
        let many = admit_stun_servers(&vec![named[1].clone(); 50]);
        assert_eq!(many.len(), 2 * limits::ICE_SERVERS);
    }

    /// One that the library refuses would cost the whole description it stands in.
    #[test]
    fn the_library_understands_each_candidate_that_the_core_lets_in() {
        let mut admitted = 0;
        for address in ["127.0.0.1", "2001:db8::1", "a-1.local", "::ffff:192.0.2.1", "256.1.1.1"] {
            for kind in ["host", "srflx", "prflx", "relay", "other"] {
                for more in
                    ["", " raddr 0.0.0.0 rport 0", " raddr ::1 rport 9 x y", " x y", " raddr ::1"]
                {
                    let text = format!("1 1 udp 4294967295 {address} 65535 typ {kind}{more}");
                    if Admission::default().candidate(&text).is_ok() {
                        admitted += 1;
                        assert!(unmarshal_candidate(&text).is_ok(), "{text}");
                    }
                }
            }
        }
        assert!(admitted >= 50, "{admitted}");
    }
}
