//! A look at a signaller, for a user that wants to know why nothing works.

use std::time::{Duration, Instant, SystemTime};

use taiinet_mesh::LinkFailure;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::{goodbye::say_goodbye, socket::WebSockets};

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// What a look at a signaller showed.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// How long it took to connect and be answered.
    pub took: Duration,
    /// The signaller's clock, to the second, if it says.
    pub clock: Option<SystemTime>,
}

/// Connects to a signaller and closes again.
///
/// # Errors
/// [`LinkFailure`] if there is none, or it does not answer in time.
pub async fn probe(
    url: &str,
    sockets: &WebSockets,
    patience: Duration,
) -> Result<Probe, LinkFailure> {
    let begun = Instant::now();
    let connected = timeout(patience, sockets.connect(url)).await;
    let no_answer = |_| LinkFailure::Unreachable("no answer".to_owned());
    let (socket, response) = connected.map_err(no_answer)??;
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let clock = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let took = begun.elapsed();
    say_goodbye(socket, CloseCode::Normal, GOODBYE).await;
    Ok(Probe { took, clock })
}
