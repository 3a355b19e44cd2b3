//! What waits for something of a session.

/// How a driver names its subscriptions, and the callers that it tells what has become of something.
pub trait Waiters {
    /// The driver's own name of a subscription.
    type Subscription: Copy + Ord;
    /// Waits for a neighbour to take a document.
    type Publish;
    /// Waits until neighbours have taken all that was given before.
    type Flush;
    /// Waits for what is searched for.
    type Find;
    /// Waits for a recipient to seal to.
    type Recipients;

    /// Whether the waiter has left, so that looking for recipients can end.
    fn has_left(_waiter: &Self::Recipients) -> bool {
        false
    }
}
