//! What a user should know while nothing happens.

use std::{io::IsTerminal, time::Duration};

use taiinet::TaiiNet;
use taiinet_session::diagnosis::why_alone;
use tokio::time::timeout;

/// How long nothing may happen before it is explained.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says on stderr why there is no neighbour yet, if it takes long; says it again where it changes.
pub(crate) fn spawn(net: &TaiiNet) {
    let net = net.clone();
    tokio::spawn(async move {
        let mut said = String::new();
        while timeout(PATIENCE, net.connected()).await.is_err() {
            let Ok(status) = net.status().await else { return };
            let hint = why_alone(&status);
            if hint != said {
                anstream::eprintln!("{hint}");
                said = hint;
            }
        }
        if !said.is_empty() && std::io::stderr().is_terminal() {
            anstream::eprintln!("connected");
        }
    });
}
