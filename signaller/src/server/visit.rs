//! From a connection to the request that it brings: TLS, then the head of the request.
//!
//! A client that has not said what it wants by a deadline is cut, so a slow one holds nothing up but itself. It is
//! told so where HTTP can be spoken, which is as soon as TLS is there; and its place is free before that is said.
//! Each connection is for one request.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{HeaderValue, Request, StatusCode, header},
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, sink},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    answer::Word,
    gate::Turned,
    handshakes::Slot,
    head::{self, Begun},
    shared::Shared,
    visitor::Visitor,
};
use crate::limits;

/// A visitor in its handshake.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) slot: Slot,
    /// When its connection was taken in.
    pub(super) came: Instant,
}

/// Why a visitor is cut before its request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// It took too long.
    Slow,
    /// It took longer than there is time while places run out.
    Hurried,
    /// Its place was needed for another address.
    Crowded,
    /// The server stops.
    Stopping,
}

impl Visit {
    /// Has it say what it wants, and answers.
    pub(super) async fn run(self, stream: TcpStream, visitor: Visitor) {
        let is_operator = matches!(visitor, Visitor::Operator);
        let current = self.shared.current();
        let tls = current.tls.as_ref().filter(|_| !is_operator).map(|tls| tls.config.clone());
        drop(current);
        let Some(tls) = tls else { return self.speak(stream, visitor).await };
        let accepted = tokio::select! {
            accepted = TlsAcceptor::from(tls).accept(stream) => accepted,
            why = self.cut(self.patience()) => return self.count(why),
        };
        match accepted {
            Ok(stream) => self.speak(stream, visitor).await,
            Err(error) => {
                tracing::debug!(%error, "TLS failed");
                self.shared.counters.tls_failures.add(1);
            }
        }
    }

    /// One request and its answer, or a word on why there is none.
    pub(super) async fn speak(
        self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        visitor: Visitor,
    ) {
        let mut read = Vec::new();
        let gathered = tokio::select! {
            // Who has said all is answered, however late.
            biased;
            gathered = head::gather(&mut stream, &mut read) => gathered,
            why = self.cut(self.patience()) => {
                self.count(why);
                let shared = self.shared.clone();
                drop(self);
                // A reason that was there before is the better one.
                let says = match visitor {
                    Visitor::Refused(turned) => Word::of(turned),
                    _ => why.word(),
                };
                return goodbye(stream, says, &shared).await;
            }
        };
        match gathered {
            Ok(true) => {}
            Ok(false) => return tracing::debug!("no request"),
            Err(error) => return tracing::debug!(%error, "no request"),
        }
        // It has said all. What is left takes long only if it does not read the answer.
        let patience = limits::ANSWER_TIMEOUT;
        // On the heap: most of a visit is spent before it, in many tasks at once.
        let stream = Begun::new(read, stream);
        let served = Box::pin(http(stream, self.shared.clone(), visitor, self.came));
        tokio::select! {
            () = served => {}
            why = self.cut(patience) => self.count(why),
        }
    }

    /// How much longer it may take.
    fn patience(&self) -> Duration {
        let usual = self.shared.current().config.handshake_timeout;
        self.slot.patience(usual).saturating_sub(self.came.elapsed())
    }

    /// Waits until it is to be cut, at the latest when it took so long.
    async fn cut(&self, patience: Duration) -> Cut {
        tokio::select! {
            () = sleep(patience) => if self.slot.is_hurried() { Cut::Hurried } else { Cut::Slow },
            () = self.slot.needed().cancelled() => Cut::Crowded,
            () = self.shared.stop.cancelled() => Cut::Stopping,
        }
    }

    fn count(&self, why: Cut) {
        match why {
            Cut::Slow | Cut::Hurried => {
                tracing::debug!("a handshake took too long");
                self.shared.counters.handshake_timeouts.add(1);
            }
            Cut::Crowded => {
                tracing::debug!("a handshake's place was needed for another address");
                self.shared.counters.handshakes_crowded_out.add(1);
            }
            Cut::Stopping => {}
        }
    }
}

impl Cut {
    const fn word(self) -> Word {
        match self {
            Self::Slow => Word { status: StatusCode::REQUEST_TIMEOUT, wait: None },
            Self::Hurried | Self::Crowded => Word::of(Turned::Full),
            Self::Stopping => {
                let wait = Some(limits::RETRY_AFTER);
                Word { status: StatusCode::SERVICE_UNAVAILABLE, wait }
            }
        }
    }
}

/// Says why a visitor is cut. So many may be told at once, for so long, and what they still send is thrown away:
/// a slow one gains nothing by it.
async fn goodbye(mut stream: impl AsyncRead + AsyncWrite + Unpin, says: Word, shared: &Shared) {
    let Ok(_telling) = shared.goodbyes.try_acquire() else { return };
    let wait = says.seconds().map(|wait| format!("retry-after: {wait}\r\n")).unwrap_or_default();
    let answer =
        format!("HTTP/1.1 {}\r\n{wait}connection: close\r\ncontent-length: 0\r\n\r\n", says.status);
    let said = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // Bytes that nobody has read would reset the connection, and with it what was said.
        tokio::io::copy(&mut stream, &mut sink()).await
    };
    let _ = timeout(limits::CLOSE, said).await;
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: Arc<Shared>,
    visitor: Visitor,
    came: Instant,
) {
    let visitor = Mutex::new(Some(visitor));
    let answer = service_fn(|request: Request<hyper::body::Incoming>| {
        let visitor = visitor.lock().unwrap_or_else(PoisonError::into_inner).take();
        let shared = shared.clone();
        async move {
            let mut answer = shared.answer(request.map(Body::new), visitor, came).await;
            if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().append(header::CONNECTION, close);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let served = http1::Builder::new()
        .max_buf_size(limits::REQUEST_BYTES)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "no HTTP request");
    }
}
