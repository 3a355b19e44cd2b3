//! What waits for something of a session.

/// How a driver names its subscriptions, and the callers that it tells what has become of something.
pub trait Waiters {
    /// The driver's own name of a subscription.
    type Subscription: Copy + Ord;
    /// Waits until a document has come as far as it is to.
    type Publish;
    /// Waits until all that was given before has.
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
