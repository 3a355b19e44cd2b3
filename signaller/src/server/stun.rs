//! STUN (RFC 8489): tells a peer the address that its packets come from, and nothing else.
//!
//! Only a well-formed Binding request gets an answer, which is little longer than a request, so
//! no host is worth flooding through it; and one address gets so many a second and no more.

mod second;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::net::UdpSocket;

use crate::{Prefixes, addresses::AddressCounts, limits};
pub use second::SecondStun;

const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;

/// Answers at one port. The pace is that of all ports: whose address is forged is flooded by none the more for there
/// being several.
pub(super) async fn serve(socket: UdpSocket, pace: Arc<Mutex<Pace>>) {
    let mut packet = [0; 1500];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut packet).await else {
            // An ICMP error of an earlier answer; the socket goes on.
            tokio::task::yield_now().await;
            continue;
        };
        let Some(request) = packet.get(..length) else { continue };
        let Some(answer) = answer(request, from) else { continue };
        if may_answer(&pace, from.ip()) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

fn may_answer(pace: &Mutex<Pace>, address: IpAddr) -> bool {
    let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
    pace.allows(address, Instant::now())
}

/// The answer to a packet, if it is a Binding request.
fn answer(request: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    let header: &[u8; HEADER] = request.first_chunk()?;
    let [t0, t1, l0, l1, transaction @ ..] = header;
    let length = usize::from(u16::from_be_bytes([*l0, *l1]));
    let well_formed = [*t0, *t1] == BINDING_REQUEST
        && transaction.starts_with(&MAGIC_COOKIE)
        && length % 4 == 0
        && request.len() == HEADER + length;
    if !well_formed {
        return None;
    }
    // The address is masked with the cookie, and for IPv6 the transaction's id after it.
    let port = from.port() ^ u16::from_be_bytes([MAGIC_COOKIE[0], MAGIC_COOKIE[1]]);
    let (family, octets) = match from.ip().to_canonical() {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    let masked: Vec<u8> =
        octets.iter().zip(transaction).map(|(octet, mask)| octet ^ mask).collect();

    let mut attribute = vec![0, family];
    attribute.extend(port.to_be_bytes());
    attribute.extend(masked);
    let length = |bytes: usize| u16::try_from(bytes).unwrap_or(0).to_be_bytes();
    let mut answer = BINDING_SUCCESS.to_vec();
    answer.extend(length(4 + attribute.len()));
    answer.extend(transaction);
    answer.extend(XOR_MAPPED_ADDRESS);
    answer.extend(length(attribute.len()));
    answer.extend(attribute);
    Some(answer)
}

/// So many answers to one address in a second, and to one site of IPv6. Forgets all addresses each second,
/// so it is bounded by what can come in one.
#[derive(Debug)]
pub(super) struct Pace {
    prefixes: Prefixes,
    second: Instant,
    answers: AddressCounts<u32>,
}

impl Pace {
    pub(super) fn new(prefixes: Prefixes, now: Instant) -> Self {
        Self { prefixes, second: now, answers: AddressCounts::default() }
    }

    fn allows(&mut self, address: IpAddr, now: Instant) -> bool {
        if now.duration_since(self.second).as_secs() >= 1 {
            *self = Self::new(self.prefixes, now);
        }
        let ranges = self.prefixes.ranges(address);
        let is_known = self.answers.has(ranges);
        if self.answers.len() >= limits::STUN_ADDRESSES && !is_known {
            return false;
        }
        let most = limits::STUN_ANSWERS;
        let allowed = self.answers.all(ranges, |count, share| *count < most.saturating_mul(share));
        if allowed {
            self.answers.update(ranges, |_| 0, |count| *count += 1);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transaction of RFC 5769, section 2.2 and 2.3.
    const TRANSACTION: [u8; 12] =
        [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn request(transaction: [u8; 12]) -> Vec<u8> {
        [&[0, 1, 0, 0][..], &MAGIC_COOKIE, &transaction].concat()
    }

    #[test]
    fn the_addresses_of_rfc_5769_are_masked_as_it_says() {
        let from: SocketAddr = "192.0.2.1:32853".parse().expect("an address");
        let told = answer(&request(TRANSACTION), from).expect("an answer");
        let expected = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        assert_eq!(told[..4], [0x01, 0x01, 0x00, 0x0c]);
        assert_eq!(told[HEADER..], expected);

        let from: SocketAddr =
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("an address");
        let told = answer(&request(TRANSACTION), from).expect("an answer");
        let expected = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3,
            0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(told[HEADER..], expected);
    }

    #[test]
    fn nothing_else_is_answered() {
        let from: SocketAddr = "192.0.2.1:32853".parse().expect("an address");
        let good = request(TRANSACTION);
        for length in 0..good.len() {
            assert_eq!(answer(&good[..length], from), None);
        }
        for (index, value) in [(0, 1), (1, 0x11), (3, 4), (3, 1), (4, 0)] {
            let mut bad = good.clone();
            bad[index] = value;
            assert_eq!(answer(&bad, from), None, "byte {index}");
        }
    }

    #[test]
    fn an_address_gets_so_many_answers_a_second() {
        let now = Instant::now();
        let mut pace = Pace::new(Prefixes::default(), now);
        let address: IpAddr = "192.0.2.1".parse().expect("an address");
        let allowed = (0..1000).filter(|_| pace.allows(address, now)).count();
        assert_eq!(allowed, limits::STUN_ANSWERS as usize);
        assert!(pace.allows(address, now + std::time::Duration::from_secs(1)));
    }

    #[test]
    fn a_site_with_many_ipv6_addresses_gets_no_more_answers() {
        let now = Instant::now();
        let mut pace = Pace::new(Prefixes::default(), now);
        let mut allowed = |make: &dyn Fn(u32) -> String| {
            let mut address = |number| pace.allows(make(number).parse().expect("an address"), now);
            (0..5000).filter(|number| address(*number)).count()
        };
        let household = allowed(&|number| format!("2001:db8:1:1::{number:x}"));
        assert_eq!(household, limits::STUN_ANSWERS as usize);
        let site = allowed(&|number| format!("2001:db8:2:{number:x}::1"));
        assert_eq!(site, (limits::STUN_ANSWERS * limits::SITE_SHARE) as usize);
    }
}
