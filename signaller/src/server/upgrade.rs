//! Requests for a WebSocket (RFC 6455, section 4.2).

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Request, StatusCode,
        header::{CONNECTION, SEC_WEBSOCKET_VERSION, UPGRADE},
    },
    response::{IntoResponse as _, Response},
};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADES: HeaderValue = HeaderValue::from_static("Upgrade");
/// The only version there is a standard for.
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// What a request is for.
#[derive(Debug)]
pub(super) enum Asked {
    /// A WebSocket: the answer, and what becomes one when it is sent.
    WebSocket(Response, OnUpgrade),
    /// A WebSocket, but not as it is asked for: what to answer.
    Wrongly(Response),
    /// Something else.
    Otherwise,
}

/// What a request is for.
pub(super) fn asked(request: &mut Request<Body>) -> Asked {
    let headers = request.headers();
    if !lists(headers, &UPGRADE, "websocket") {
        return Asked::Otherwise;
    }
    if !lists(headers, &CONNECTION, "upgrade") {
        return wrongly(
            "This request has `Upgrade: websocket` and no `Connection: Upgrade`. A proxy in between may \
             have taken it away: have it pass on both.\n",
        );
    }
    // Section 4.4: whoever speaks another version is told which there is.
    if headers.get(SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        let headers =
            [(UPGRADE, WEBSOCKET), (CONNECTION, UPGRADES), (SEC_WEBSOCKET_VERSION, VERSION)];
        let says = "This signaller speaks version 13 of the WebSocket protocol: ask for that.\n";
        return Asked::Wrongly((StatusCode::UPGRADE_REQUIRED, headers, says).into_response());
    }
    let upgrade = hyper::upgrade::on(&mut *request);
    // The library reads one line with one word; what stood beside it has been looked at.
    let headers = request.headers_mut();
    headers.insert(UPGRADE, WEBSOCKET);
    headers.insert(CONNECTION, UPGRADES);
    match create_response_with_body(request, Body::empty) {
        Ok(answer) => Asked::WebSocket(answer, upgrade),
        Err(error) => wrongly(format!(
            "This is no request for a WebSocket (RFC 6455, section 4.1): {error}. Ask with a WebSocket \
             client.\n"
        )),
    }
}

fn wrongly(says: impl Into<String>) -> Asked {
    Asked::Wrongly((StatusCode::BAD_REQUEST, says.into()).into_response())
}

/// Whether a header has this word in its list, which may go over several lines and in which case does not
/// matter (RFC 9110, sections 5.3 and 7.8).
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}
