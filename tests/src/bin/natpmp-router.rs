//! A router's NAT-PMP (RFC 6886), for the laboratory: `natpmp-router LAN WAN`, with its two addresses. Ports
//! that it is asked for it maps by `nft`, in the tables that routers of the laboratory have; on stdout it says
//! which.

use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    process::Command,
};

fn main() -> Result<(), String> {
    let mut args = std::env::args().skip(1);
    let mut address = || -> Result<Ipv4Addr, String> {
        let text = args.next().ok_or("natpmp-router LAN WAN")?;
        text.parse().map_err(|error| format!("{text}: {error}"))
    };
    let (lan, wan) = (address()?, address()?);
    let socket = UdpSocket::bind((lan, 5351)).map_err(|error| error.to_string())?;
    nft("insert rule inet firewall through iifname wan ct status dnat accept")?;
    say("listens")?;
    let mut question = [0; 1100];
    loop {
        let (length, from) = socket.recv_from(&mut question).map_err(|error| error.to_string())?;
        let IpAddr::V4(host) = from.ip() else { continue };
        let answer = match &question[..length] {
            [0, 0] => [&[0, 128, 0, 0, 0, 0, 0, 1][..], &wan.octets()].concat(),
            [0, 1, 0, 0, high, low, _, _, lifetime @ ..] if lifetime.len() == 4 => {
                let port = u16::from_be_bytes([*high, *low]);
                let is_end = lifetime == [0; 4];
                let outside = if is_end { 0 } else { port };
                if is_end {
                    say(&format!("unmapped {port}"))?;
                } else {
                    nft(&format!(
                        "add rule ip nat in iifname wan udp dport {port} dnat to {host}:{port}"
                    ))?;
                    say(&format!("mapped {port}"))?;
                }
                let head = [0, 129, 0, 0, 0, 0, 0, 1, *high, *low];
                [&head[..], &outside.to_be_bytes(), lifetime].concat()
            }
            // PCP, of which it knows no more than that it is another version.
            _ => vec![0, 128, 0, 1, 0, 0, 0, 1],
        };
        socket.send_to(&answer, from).map_err(|error| error.to_string())?;
    }
}

fn nft(rule: &str) -> Result<(), String> {
    let ran = Command::new("nft").args(rule.split(' ')).status();
    match ran {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("nft {rule}: {other:?}")),
    }
}

fn say(text: &str) -> Result<(), String> {
    taiinet_terminal::print(&format!("{text}\n")).map_err(|error| error.to_string())
}
