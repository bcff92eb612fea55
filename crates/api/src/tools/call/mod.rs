//! One call as it comes, read character by character, so that a client has the arguments while they are written.

mod elements;
mod object;

use std::sync::Arc;

use super::{Format, Tools};
use elements::Elements;
use object::Object;

/// Text that is not a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACall;

/// Most bytes before the arguments.
const MOST_HEAD: usize = 400;

/// A call so far.
#[derive(Debug)]
pub enum Call {
    /// As JSON.
    Object(Object),
    /// As elements around bare text.
    Elements(Elements),
}

impl Call {
    /// Before its first character.
    pub fn new(tools: &Arc<Tools>) -> Self {
        match tools.format {
            Format::Elements => Self::Elements(Elements::new(tools.clone())),
            format => Self::Object(Object::new(format)),
        }
    }

    /// The function's name, once it is there.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Object(call) => call.name(),
            Self::Elements(call) => call.name(),
        }
    }

    /// What is there of the arguments, as JSON.
    pub fn arguments(&self) -> &str {
        match self {
            Self::Object(call) => call.arguments(),
            Self::Elements(call) => call.arguments(),
        }
    }

    /// All that was read.
    pub fn raw(&self) -> &str {
        match self {
            Self::Object(call) => call.raw(),
            Self::Elements(call) => call.raw(),
        }
    }

    /// Whether it is complete.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Object(call) => call.is_complete(),
            Self::Elements(call) => call.is_complete(),
        }
    }

    /// One more character.
    ///
    /// # Errors
    /// One that no call has there.
    pub fn push(&mut self, c: char) -> Result<(), NotACall> {
        match self {
            Self::Object(call) => call.push(c),
            Self::Elements(call) => call.push(c),
        }
    }
}
