//! What can go wrong while a program is built.

/// Why a graph is not a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// An operation was given values it cannot take.
    #[error("{scope}{}{message} (at {site})", if scope.is_empty() { "" } else { ": " })]
    Build {
        /// Module path, for example `layers.3.moe`.
        scope: String,
        /// What was required and what was given.
        message: String,
        /// Source file and line of the call.
        site: String,
    },
    /// Two parameters or two outputs share a name.
    #[error("program `{program}`: two {kind} are called `{name}`; names bind buffers, so give each its own")]
    DoubledName {
        /// The program.
        program: String,
        /// Parameters or outputs.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A node breaks an invariant: a fault of a pass, not of the caller.
    #[error(
        "program `{program}`: node {node} ({op}) is malformed: {why}; this is a defect, please report it"
    )]
    Malformed {
        /// The program.
        program: String,
        /// Which node.
        node: usize,
        /// Its operation.
        op: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A donation that cannot work.
    #[error("cannot donate input `{input}` to output `{output}`: {why}")]
    Donation {
        /// The input given away.
        input: String,
        /// The output that takes its place.
        output: String,
        /// Why not.
        why: &'static str,
    },
}
