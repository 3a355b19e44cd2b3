use axum::http::StatusCode;

use super::*;
use crate::DeskConfig;

/// Verifying a flood may take the desk's task seconds; here it does not run at all.
#[tokio::test]
async fn a_desk_that_is_busy_holds_no_metrics_up() {
    let identity = Identity::generate(&mut UnwrapErr(getrandom::SysRng));
    let clock = Clock::start();
    let desk = Desk::new(identity, DeskConfig::default(), [1; 32], clock.now());
    let current = Current::load(AcceptConfig::default()).expect("no files to read");
    let (_desk, shared, _reload) = assemble(desk, clock, current);
    for path in ["/metrics", "/health", "/status"] {
        let uri = path.parse().expect("a path");
        let answer = operators::answer(&shared, &uri, false).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[test]
fn each_client_has_a_share_of_what_may_wait_and_the_memory_for_all_is_known() {
    let mut config = AcceptConfig::default();
    let usual = config.most_memory();
    assert!(config.outbox_limits().share >= taiinet_mesh::limits::WIRE_BYTES);
    assert!(usual < config.gate.clients * config.outbox_bytes, "not all outboxes can be full");
    config.gate.clients = 2 * limits::CLIENTS;
    assert!(config.most_memory() > usual);
    config.gate.clients = usize::MAX;
    assert_eq!(config.outbox_limits().share, taiinet_mesh::limits::WIRE_BYTES);
}
