//! What operators are told, at an address of their own and at the control socket: metrics, health, status.

use std::time::Duration;

use axum::{
    Json,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use super::{desk_task::Picture, metrics, report::Report, shared::Shared};
use crate::limits;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// From what is counted, without waiting for the desk, which may be busy; only who is here takes asking it, and
/// not for long. Names are told to an owner alone.
pub(super) async fn answer(shared: &Shared, uri: &Uri, is_owner: bool) -> Response {
    let picture = shared.desk.picture();
    match uri.path() {
        "/metrics" => {
            ([(header::CONTENT_TYPE, FORMAT)], metrics::text(shared, &picture)).into_response()
        }
        "/health" => health(&picture, shared.clock.uptime(), shared.age(&picture)).into_response(),
        "/status" => {
            let with_names = uri.query() == Some("names");
            if with_names && !is_owner {
                let says =
                    "Names are told at the control socket only: start with --control PATH.\n";
                return (StatusCode::FORBIDDEN, says).into_response();
            }
            let view = if is_owner {
                timeout(limits::VIEW_TIMEOUT, shared.desk.view(with_names)).await.ok().flatten()
            } else {
                shared.view().await
            };
            Json(Report::of(shared, &picture, view)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn health(
    picture: &Picture,
    uptime: Duration,
    age: Duration,
) -> (StatusCode, Json<serde_json::Value>) {
    let is_well = age < limits::STALLED;
    let code = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({
        "ok": is_well,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": uptime.as_secs(),
        "age_s": age.as_secs(),
        "clients": picture.status.clients,
        "joined": picture.status.joined,
        "networks": picture.status.networks,
    });
    (code, Json(body))
}

#[cfg(test)]
mod tests {
    use taiinet_mesh::Time;

    use super::*;
    use crate::DeskStatus;

    #[test]
    fn a_desk_from_which_nothing_is_heard_is_not_well() {
        let picture = Picture {
            status: DeskStatus::default(),
            took: crate::Histogram::default(),
            taken_at: Time::default(),
        };
        let health = |age| {
            let (code, body) = health(&picture, Duration::from_secs(60), age);
            (code.as_u16(), body.0["ok"] == true)
        };
        assert_eq!(health(limits::CHECK_EVERY + limits::STATUS_EVERY), (200, true));
        assert_eq!(health(limits::STALLED), (503, false));
    }
}
