//! Connections, and what all endpoints share.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::metrics::{Machine, Metrics};
use crate::{ApiError, Keys, Served, router};

/// A connection whose head does not come within this is closed.
const HEAD: Duration = Duration::from_secs(30);

/// How the service behaves.
#[derive(Clone)]
pub struct Options {
    /// Who may use it.
    pub keys: Keys,
    /// Most bytes of a body.
    pub body_bytes: usize,
    /// Longest time of an answer.
    pub timeout: Duration,
    /// How long answers may go on after the shutdown began.
    pub grace: Duration,
}

impl Default for Options {
    /// Open to all, 4 MiB, ten minutes, half a minute.
    fn default() -> Self {
        Self {
            keys: Keys::default(),
            body_bytes: 4 << 20,
            timeout: Duration::from_secs(600),
            grace: Duration::from_secs(30),
        }
    }
}

/// What all endpoints share.
pub struct App {
    /// The model.
    pub served: Served,
    /// How the service behaves.
    pub options: Options,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) is_closing: AtomicBool,
    /// Seconds since 1970 when it began.
    pub(crate) began: u64,
    answers: AtomicU64,
    salt: u64,
}

impl App {
    /// A service of this model on this machine.
    pub fn new(served: Served, options: Options, machine: Machine) -> Arc<Self> {
        Arc::new(Self {
            served,
            options,
            metrics: Metrics::new(machine),
            is_closing: AtomicBool::new(false),
            began: now(),
            answers: AtomicU64::new(0),
            salt: crate::prepare::random(),
        })
    }

    /// A new name for an answer.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}-{:016x}{:08x}", self.salt, self.answers.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether the model of this name is served here.
    ///
    /// # Errors
    /// Another name.
    pub(crate) fn check_model(&self, name: Option<&str>) -> Result<(), ApiError> {
        match name {
            Some(name) if !name.is_empty() && name != self.served.name => {
                let message =
                    format!("the model {name:?} is not here; this server has {:?}", self.served.name);
                let status = axum::http::StatusCode::NOT_FOUND;
                Err(ApiError { param: Some("model".into()), ..ApiError::new(status, message) }
                    .coded("model_not_found"))
            }
            _ => Ok(()),
        }
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// Answers until `shutdown`; then takes no more connections and lets answers that have begun end, for as long as the options grant.
///
/// # Errors
/// None at present: a connection that fails concerns itself alone.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = router(app.clone());
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of files, most often: those that are open must end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Tokens are small and must not wait for each other.
        stream.set_nodelay(true).ok();
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A connection that ends in the middle is the client's affair.
            connection.await.ok();
        });
    }
    app.is_closing.store(true, Ordering::Relaxed);
    drop(listener);
    tokio::time::timeout(app.options.grace, graceful.shutdown()).await.ok();
    Ok(())
}
