//! Server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio_stream::Stream;

use crate::answer::{Answer, Piece};
use crate::wire::UsageBody;

/// Writes the pieces of one kind of answer.
pub trait Write: Send + Unpin + 'static {
    /// What a piece is on the wire.
    type Line: Serialize;

    /// What goes before everything else.
    fn first(&mut self) -> Vec<Self::Line>;

    /// A piece.
    fn piece(&mut self, piece: Piece) -> Vec<Self::Line>;

    /// What goes behind everything else.
    fn last(&mut self, usage: UsageBody) -> Option<Self::Line>;
}

/// The answer as it comes.
pub fn stream<W: Write>(answer: Answer, mut write: W) -> Response {
    let lines = write.first().iter().map(line).collect();
    Sse::new(Lines { answer, write, lines, is_over: false }).keep_alive(KeepAlive::default()).into_response()
}

struct Lines<W> {
    answer: Answer,
    write: W,
    lines: VecDeque<String>,
    is_over: bool,
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("replies have names as keys")
}

impl<W: Write> Stream for Lines<W> {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(text) = this.lines.pop_front() {
                return Poll::Ready(Some(Ok(Event::default().data(text))));
            }
            if this.is_over {
                return Poll::Ready(None);
            }
            match this.answer.poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(piece))) => this.lines.extend(this.write.piece(piece).iter().map(line)),
                Poll::Ready(Some(Err(error))) => {
                    this.is_over = true;
                    this.lines.extend([line(&error.body()), "[DONE]".into()]);
                }
                Poll::Ready(None) => {
                    this.is_over = true;
                    let usage = this.answer.usage();
                    this.lines.extend(this.write.last(usage).as_ref().map(line));
                    this.lines.push_back("[DONE]".into());
                }
            }
        }
    }
}
